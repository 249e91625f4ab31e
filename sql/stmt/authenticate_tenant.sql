-- authenticate_tenant: the tenant header where the operator allows it.
-- params: tenant_id text, granted_role text, minimum_role text
-- result: one_row (tenant_id text, role text, key_id text, key_name text, epoch int8)
-- role: api, worker
-- access: read
SELECT a.tenant_id, a.role, a.key_id, a.key_name, a.epoch
FROM kaireon.authenticate_tenant($1::text, $2::text, $3::text) AS a;
