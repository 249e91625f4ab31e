-- export_rebase_end: files and checkpoint follow the numbers that their rows bear now.
-- params: files int8
-- result: none
-- role: owner
-- access: write
WITH ends AS (
	SELECT f.number, coalesce(max(r.id), '') AS id
	FROM kaireon.export_files AS f
	LEFT JOIN kaireon.export_rebase AS r ON r.tenant_id = f.tenant_id AND r.number = f.number
	WHERE f.tenant_id = kaireon.tenant_id() AND f.stream = 'interaction_history'
	GROUP BY f.number
), files AS (
	UPDATE kaireon.export_files AS f
	SET from_commit_xid = (f.number - 1)::text::xid8, from_id = coalesce(b.id, ''),
	    to_commit_xid = f.number::text::xid8, to_id = e.id
	FROM ends AS e LEFT JOIN ends AS b ON b.number = e.number - 1
	WHERE f.tenant_id = kaireon.tenant_id() AND f.stream = 'interaction_history'
	  AND f.number = e.number
	RETURNING f.number, f.path, f.rows, f.bytes, f.sha256
), runs AS (
	-- what was planned counts all contacts that the dump had
	UPDATE kaireon.campaign_runs AS r
	SET xid_ceiling = ($1::int8 + 2)::text::xid8
	WHERE r.tenant_id = kaireon.tenant_id() AND r.xid_ceiling IS NOT NULL
	  AND r.status IN ('pending', 'running', 'paused')
)
UPDATE kaireon.export_checkpoints AS p
SET system_identifier = c.system_identifier::text, commit_xid = $1::int8::text::xid8,
    id = coalesce((SELECT e.id FROM ends AS e WHERE e.number = $1::int8), ''),
    files_total = $1::int8,
    rows_total = coalesce((SELECT sum(f.rows) FROM files AS f), 0),
    last_path = l.path, last_rows = l.rows, last_bytes = l.bytes, last_sha256 = l.sha256,
    path_at = greatest(p.path_at, pg_catalog.to_timestamp(
		substring(l.path FROM 'batch-(.{23})Z') || '+00', 'YYYY-MM-DD"T"HH24-MI-SS-MSTZH')),
    status = 'ok', error = NULL,
    intent_commit_xid = NULL, intent_id = NULL, intent_at = NULL, intent_path = NULL
FROM pg_catalog.pg_control_system() AS c
LEFT JOIN files AS l ON l.number = $1::int8
WHERE p.tenant_id = kaireon.tenant_id() AND p.stream = 'interaction_history';
