-- export_advance: the batch is durable: the checkpoint moves to its end.
-- params: rows int8, bytes int8, sha256 text
-- result: none
-- role: worker
-- access: write
UPDATE kaireon.export_checkpoints AS p
SET commit_xid = p.intent_commit_xid, id = p.intent_id, rows_total = p.rows_total + $1::int8,
    last_path = p.intent_path, last_rows = $1::int8, last_bytes = $2::int8,
    last_sha256 = $3::text, exported_at = pg_catalog.now(), status = 'ok', error = NULL,
    intent_commit_xid = NULL, intent_id = NULL, intent_at = NULL, intent_path = NULL
WHERE p.tenant_id = kaireon.tenant_id() AND p.stream = 'interaction_history'
  AND p.intent_path IS NOT NULL;
