-- provider_load: what may be seen of a provider's fields; held until the transaction ends.
-- params: id text
-- result: zero_or_one (fields jsonb)
-- role: api
-- access: write
SELECT pg_catalog.jsonb_build_object('kind', p.kind, 'name', p.name, 'enabled', p.enabled,
	'config', p.config_shown, 'configSummary', p.config_summary)
FROM kaireon.notification_providers AS p
WHERE p.tenant_id = kaireon.tenant_id() AND p.id = $1::text AND p.deleted_at IS NULL
FOR UPDATE OF p;
