-- authenticate: whose key is it, and may it do this? Sets the tenant.
-- params: key_hash bytea, minimum_role text, route text
-- result: one_row (tenant_id text, role text, key_id text, key_name text, epoch int8, use_unnoted bool)
-- role: api, worker
-- access: read
SELECT a.tenant_id, a.role, a.key_id, a.key_name, a.epoch, a.use_unnoted
FROM kaireon.authenticate($1::bytea, $2::text, $3::text) AS a;
