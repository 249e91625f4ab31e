-- schema_create: a data schema and its table.
-- params: id text, name text, id_column text, columns jsonb
-- result: one_row (table_name text)
-- role: owner
-- access: write
INSERT INTO kaireon.data_schemas (tenant_id, id, name, table_name, id_column, columns)
SELECT kaireon.tenant_id(), $1::text, $2::text,
       kaireon.data_table_create($2::text, $3::text, $4::jsonb), $3::text, $4::jsonb
RETURNING table_name;
