-- kind_delete: objects of one kind go; their rows stay, for what refers to them.
-- params: ids text[]
-- result: none
-- role: api, owner
-- access: write
-- identifiers: table
UPDATE kaireon.{table} AS t
SET deleted_at = pg_catalog.now(), version = t.version + 1, updated_at = pg_catalog.now()
WHERE t.tenant_id = kaireon.tenant_id() AND t.id = ANY ($1::text[]) AND t.deleted_at IS NULL;
