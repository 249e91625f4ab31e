-- retention_list: the retention of the tenant's four data classes.
-- params:
-- result: one_row (configs text)
-- role: api
-- access: read
SELECT pg_catalog.json_agg(kaireon.retention_document(c)
       ORDER BY pg_catalog.array_position('{interactions,decisions,metrics,audit}'::text[], c.data_class))::text
FROM kaireon.retention_configs AS c
WHERE c.tenant_id = kaireon.tenant_id();
