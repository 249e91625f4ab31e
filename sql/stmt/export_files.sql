-- export_files: the files that were published, first to last.
-- params:
-- result: rows (number int8, path text, to_xid text, to_id text, rows int8, bytes int8, sha256 text)
-- role: owner, worker
-- access: read
SELECT f.number, f.path, f.to_commit_xid::text, f.to_id, f.rows, f.bytes, f.sha256
FROM kaireon.export_files AS f
WHERE f.tenant_id = kaireon.tenant_id() AND f.stream = 'interaction_history'
ORDER BY f.number;
