-- apikey_revoke: end a key.
-- params: id text
-- result: zero_or_one (id text)
-- role: owner
-- access: write
UPDATE kaireon.api_keys AS k
SET revoked_at = pg_catalog.now()
WHERE k.tenant_id = kaireon.tenant_id() AND k.id = $1::text AND k.revoked_at IS NULL
RETURNING k.id;
