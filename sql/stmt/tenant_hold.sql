-- tenant_hold: set or lift the legal hold of a whole tenant.
-- params: tenant_id text, hold bool
-- result: zero_or_one (tenant_id text)
-- role: owner
-- access: write
UPDATE kaireon.tenants AS t
SET legal_hold = $2::bool, updated_at = pg_catalog.now()
WHERE t.tenant_id = $1::text
RETURNING t.tenant_id;
