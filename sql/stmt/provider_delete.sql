-- provider_delete: a provider goes, with its secrets; its deliveries are told.
-- params: id text
-- result: none
-- role: api
-- access: write
UPDATE kaireon.notification_providers AS p
SET deleted_at = pg_catalog.now(), enabled = false, config = '', config_shown = '{}'
WHERE p.tenant_id = kaireon.tenant_id() AND p.id = $1::text;
