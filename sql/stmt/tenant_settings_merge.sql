-- tenant_settings_merge: a change into the settings of the tenant, member by member.
-- params: change jsonb
-- result: one_row (before text, after text)
-- role: api
-- access: write
WITH old AS (
	SELECT t.tenant_id, kaireon.settings_document(t) AS document
	FROM kaireon.tenants AS t
	WHERE t.tenant_id = kaireon.tenant_id()
	FOR NO KEY UPDATE
)
UPDATE kaireon.tenants AS t
SET settings = kaireon.json_merge(t.settings, $1::jsonb),
    legal_hold = coalesce(($1::jsonb->>'legalHold')::bool, t.legal_hold),
    updated_at = pg_catalog.now()
FROM old AS o
WHERE t.tenant_id = o.tenant_id
RETURNING o.document::text, kaireon.settings_document(t)::text;
