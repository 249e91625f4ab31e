-- tenant_status: suspend or resume a tenant.
-- params: tenant_id text, status text
-- result: zero_or_one (before text, after text)
-- role: owner
-- access: write
WITH old AS (
	SELECT t.tenant_id, t.status
	FROM kaireon.tenants AS t
	WHERE t.tenant_id = $1::text
	FOR NO KEY UPDATE
)
UPDATE kaireon.tenants AS t
SET status = $2::text, updated_at = pg_catalog.now()
FROM old AS o
WHERE t.tenant_id = o.tenant_id
RETURNING pg_catalog.json_build_object('status', o.status)::text,
          pg_catalog.json_build_object('status', t.status)::text;
