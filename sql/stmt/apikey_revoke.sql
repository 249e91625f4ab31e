-- apikey_revoke: end a key.
-- params: id text, reason text
-- result: zero_or_one (name text, document text)
-- role: owner, api
-- access: write
UPDATE kaireon.api_keys AS k
SET revoked_at = pg_catalog.now(), revoked_reason = $2::text
WHERE k.tenant_id = kaireon.tenant_id() AND k.id = $1::text AND k.revoked_at IS NULL
RETURNING k.name, pg_catalog.json_build_object('id', k.id, 'name', k.name, 'prefix', k.prefix,
	'role', k.role, 'scopes', k.scopes, 'expiresAt', kaireon.time_text(k.expires_at))::text;
