-- provider_get: a provider.
-- params: id text
-- result: zero_or_one (document text)
-- role: api
-- access: read
SELECT kaireon.provider_document(p)::text
FROM kaireon.notification_providers AS p
WHERE p.tenant_id = kaireon.tenant_id() AND p.id = $1::text AND p.deleted_at IS NULL;
