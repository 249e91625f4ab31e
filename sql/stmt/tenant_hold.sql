-- tenant_hold: set or lift the legal hold of a whole tenant.
-- params: tenant_id text, hold bool
-- result: zero_or_one (before text, after text)
-- role: owner
-- access: write
WITH old AS (
	SELECT t.tenant_id, t.legal_hold
	FROM kaireon.tenants AS t
	WHERE t.tenant_id = $1::text
	FOR NO KEY UPDATE
)
UPDATE kaireon.tenants AS t
SET legal_hold = $2::bool, updated_at = pg_catalog.now()
FROM old AS o
WHERE t.tenant_id = o.tenant_id
RETURNING pg_catalog.json_build_object('legalHold', o.legal_hold)::text,
          pg_catalog.json_build_object('legalHold', t.legal_hold)::text;
