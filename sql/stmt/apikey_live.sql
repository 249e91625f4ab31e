-- apikey_live: the tenant's keys that are not revoked, newest first, as one document.
-- params:
-- result: one_row (document text, total int8)
-- role: api
-- access: read
SELECT pg_catalog.json_build_object('data', coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
		'id', k.id, 'name', k.name, 'prefix', k.prefix, 'role', k.role, 'scopes', k.scopes,
		'expiresAt', kaireon.time_text(k.expires_at),
		'lastUsedAt', kaireon.time_text(k.last_used_at),
		'createdAt', kaireon.time_text(k.created_at)) ORDER BY k.created_at DESC, k.id DESC), '[]'),
	'total', pg_catalog.count(*))::text, pg_catalog.count(*)
FROM kaireon.api_keys AS k
WHERE k.tenant_id = kaireon.tenant_id() AND k.revoked_at IS NULL;
