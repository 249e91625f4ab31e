-- tenant_status: suspend or resume a tenant.
-- params: tenant_id text, status text
-- result: zero_or_one (tenant_id text)
-- role: owner
-- access: write
UPDATE kaireon.tenants AS t
SET status = $2::text, updated_at = pg_catalog.now()
WHERE t.tenant_id = $1::text
RETURNING t.tenant_id;
