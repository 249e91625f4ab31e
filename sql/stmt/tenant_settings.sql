-- tenant_settings: the settings of the tenant.
-- params:
-- result: one_row (settings text)
-- role: api
-- access: read
SELECT kaireon.settings_document(t)::text
FROM kaireon.tenants AS t
WHERE t.tenant_id = kaireon.tenant_id();
