-- alert_list: the tenant's alert rules.
-- params:
-- result: one_row (document text)
-- role: api
-- access: read
SELECT coalesce(pg_catalog.json_agg(kaireon.alert_document(r) ORDER BY r.created_at, r.id), '[]')::text
FROM kaireon.alert_rules AS r
WHERE r.tenant_id = kaireon.tenant_id();
