-- cleanup_assignments: expired variant assignments of a tenant that is not held.
-- params:
-- result: none
-- role: api
-- access: write
WITH allowed AS (
	SELECT t.tenant_id
	FROM kaireon.tenants AS t
	WHERE t.tenant_id = kaireon.tenant_id() AND NOT t.legal_hold
	FOR SHARE
)
DELETE FROM kaireon.variant_assignments AS v
WHERE v.tenant_id = (SELECT a.tenant_id FROM allowed AS a)
  AND v.expires_at < pg_catalog.now();
