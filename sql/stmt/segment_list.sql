-- segment_list: the tenant's segments.
-- params:
-- result: rows (id text, name text, schema text, view_name text, customer_count int8, status text)
-- role: owner
-- access: read
SELECT s.id, s.name, d.name, s.view_name, s.customer_count, s.status
FROM kaireon.segments AS s
JOIN kaireon.data_schemas AS d ON d.tenant_id = s.tenant_id AND d.id = s.base_schema_id
WHERE s.tenant_id = kaireon.tenant_id()
ORDER BY s.name COLLATE "C";
