-- segment_insert: a segment's row; none when there is no such schema.
-- params: id text, name text, schema text, filters jsonb, view_name text
-- result: zero_or_one (id text)
-- role: owner
-- access: write
INSERT INTO kaireon.segments (tenant_id, id, name, base_schema_id, filters, view_name)
SELECT d.tenant_id, $1::text, $2::text, d.id, $4::jsonb, $5::text
FROM kaireon.data_schemas AS d
WHERE d.tenant_id = kaireon.tenant_id() AND d.name = $3::text
RETURNING id;
