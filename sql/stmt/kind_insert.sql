-- kind_insert: new objects of one kind.
-- params: rows jsonb
-- result: none
-- role: api, owner
-- access: write
-- identifiers: table, columns...
INSERT INTO kaireon.{table} (tenant_id, {columns...})
SELECT kaireon.tenant_id(), {r.columns...}
FROM pg_catalog.jsonb_populate_recordset(NULL::kaireon.{table}, $1::jsonb) AS r;
