-- kind_read: the live objects of one kind.
-- params:
-- result: rows (id text, name text, version int8, document jsonb)
-- role: api, worker, owner
-- access: read
-- identifiers: table
SELECT t.id, t.name, t.version, pg_catalog.to_jsonb(t)
FROM kaireon.{table} AS t
WHERE t.tenant_id = kaireon.tenant_id() AND t.deleted_at IS NULL
ORDER BY t.name;
