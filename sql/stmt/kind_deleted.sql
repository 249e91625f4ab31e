-- kind_deleted: who deleted the last object of each of some names.
-- params: names text[]
-- result: rows (name text, changed_by text, changed_at text, audit_id text)
-- role: api, worker, owner
-- access: read
-- identifiers: table
SELECT DISTINCT ON (t.name) t.name, t.changed_by, kaireon.time_text(t.updated_at), t.changed_audit_id
FROM kaireon.{table} AS t
WHERE t.tenant_id = kaireon.tenant_id() AND t.name = ANY ($1::text[]) AND t.deleted_at IS NOT NULL
ORDER BY t.name, t.deleted_at DESC;
