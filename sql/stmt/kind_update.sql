-- kind_update: changed objects of one kind.
-- params: rows jsonb
-- result: none
-- role: api, owner
-- access: write
-- identifiers: table, columns...
UPDATE kaireon.{table} AS t
SET ({columns...}) = ROW ({r.columns...}),
    version = t.version + 1, updated_at = pg_catalog.now()
FROM pg_catalog.jsonb_populate_recordset(NULL::kaireon.{table}, $1::jsonb) AS r
WHERE t.tenant_id = kaireon.tenant_id() AND t.id = r.id AND t.deleted_at IS NULL;
