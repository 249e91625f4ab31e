-- kind_deleted: who deleted the last object of each of some names, and parent.
-- params: names text[], parent_column text
-- result: rows (name text, parent_name text, changed_by text, changed_at text, audit_id text)
-- role: api, worker, owner
-- access: read
-- identifiers: table, parent
SELECT DISTINCT ON (t.name, p.name) t.name, p.name, t.changed_by,
       kaireon.time_text(t.updated_at), t.changed_audit_id
FROM kaireon.{table} AS t
LEFT JOIN kaireon.{parent} AS p
  ON p.tenant_id = t.tenant_id AND p.id = pg_catalog.to_jsonb(t)->>$2::text
WHERE t.tenant_id = kaireon.tenant_id() AND t.name = ANY ($1::text[]) AND t.deleted_at IS NOT NULL
ORDER BY t.name, p.name, t.deleted_at DESC;
