-- kind_changed: who changed each of some objects last, deleted ones too.
-- params: ids text[]
-- result: rows (id text, changed_by text, changed_at text, audit_id text)
-- role: api, worker, owner
-- access: read
-- identifiers: table
SELECT t.id, t.changed_by, kaireon.time_text(t.updated_at), t.changed_audit_id
FROM kaireon.{table} AS t
WHERE t.tenant_id = kaireon.tenant_id() AND t.id = ANY ($1::text[])
ORDER BY t.id;
