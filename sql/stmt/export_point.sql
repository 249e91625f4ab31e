-- export_point: how far the export is; no row: it never ran for this tenant.
-- params:
-- result: zero_or_one (xid text, id text, intent_path text, files int8)
-- role: owner, worker
-- access: read
SELECT p.commit_xid::text, p.id, p.intent_path, p.files_total
FROM kaireon.export_checkpoints AS p
WHERE p.tenant_id = kaireon.tenant_id() AND p.stream = 'interaction_history';
