-- apikey_insert: a new key.
-- params: id text, name text, role text, key_hash bytea, prefix text, expires_at timestamptz
-- result: none
-- role: owner
-- access: write
INSERT INTO kaireon.api_keys (tenant_id, id, name, role, key_hash, prefix, expires_at)
SELECT kaireon.tenant_id(), $1::text, $2::text, $3::text, $4::bytea, $5::text, $6::timestamptz;
