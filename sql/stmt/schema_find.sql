-- schema_find: a data schema of the tenant.
-- params: name text
-- result: zero_or_one (table_name text, id_column text, columns jsonb)
-- role: owner
-- access: read
SELECT s.table_name, s.id_column, s.columns
FROM kaireon.data_schemas AS s
WHERE s.tenant_id = kaireon.tenant_id() AND s.name = $1::text;
