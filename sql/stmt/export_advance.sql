-- export_advance: the batch is durable: its file is noted, the checkpoint moves to its end.
-- params: path text, rows int8, bytes int8, sha256 text
-- result: zero_or_one (number int8)
-- role: worker
-- access: write
WITH file AS (
	INSERT INTO kaireon.export_files (tenant_id, stream, number, path, from_commit_xid, from_id,
		to_commit_xid, to_id, rows, bytes, sha256)
	SELECT p.tenant_id, p.stream, p.files_total + 1, p.intent_path, p.commit_xid, p.id,
	       p.intent_commit_xid, p.intent_id, $2::int8, $3::int8, $4::text
	FROM kaireon.export_checkpoints AS p
	WHERE p.tenant_id = kaireon.tenant_id() AND p.stream = 'interaction_history'
	  AND p.intent_path = $1::text
	RETURNING number
)
UPDATE kaireon.export_checkpoints AS p
SET commit_xid = p.intent_commit_xid, id = p.intent_id, rows_total = p.rows_total + $2::int8,
    files_total = f.number, last_path = p.intent_path, last_rows = $2::int8, last_bytes = $3::int8,
    last_sha256 = $4::text, exported_at = pg_catalog.now(), status = 'ok', error = NULL,
    intent_commit_xid = NULL, intent_id = NULL, intent_at = NULL, intent_path = NULL
FROM file AS f
WHERE p.tenant_id = kaireon.tenant_id() AND p.stream = 'interaction_history'
  AND p.intent_path = $1::text
RETURNING p.files_total;
