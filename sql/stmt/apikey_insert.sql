-- apikey_insert: a new key, unless it could more, or for longer, than the key
-- that makes it. Its document is for the audit: without the hash.
-- params: id text, name text, role text, key_hash bytea, prefix text, expires_at timestamptz, scopes text[], maker text
-- result: zero_or_one (document text, expires_at text, created_at text)
-- role: owner, api
-- access: write
INSERT INTO kaireon.api_keys AS k (tenant_id, id, name, role, key_hash, prefix, expires_at, scopes)
SELECT kaireon.tenant_id(), $1::text, $2::text, $3::text, $4::bytea, $5::text, $6::timestamptz,
       pg_catalog.to_jsonb($7::text[])
WHERE NOT EXISTS (
	SELECT FROM kaireon.api_keys AS m
	WHERE m.tenant_id = kaireon.tenant_id() AND m.id = $8::text
	  AND (m.scopes <> '[]' AND (pg_catalog.cardinality($7::text[]) = 0
	                             OR NOT m.scopes @> pg_catalog.to_jsonb($7::text[]))
	       OR m.expires_at IS NOT NULL
	          AND coalesce($6::timestamptz, 'infinity') > m.expires_at))
RETURNING pg_catalog.json_build_object('id', k.id, 'name', k.name, 'prefix', k.prefix,
	'role', k.role, 'scopes', k.scopes, 'expiresAt', kaireon.time_text(k.expires_at))::text,
	kaireon.time_text(k.expires_at), kaireon.time_text(k.created_at);
