-- authenticate_tenant: a tenant named without a key, where that is allowed.
-- params: tenant_id text, granted_role text, minimum_role text
-- result: one_row (tenant_id text, role text, key_id text, key_name text, epoch int8, use_unnoted bool)
-- role: api, worker
-- access: read
SELECT a.tenant_id, a.role, a.key_id, a.key_name, a.epoch, false
FROM kaireon.authenticate_tenant($1::text, $2::text, $3::text) AS a;
