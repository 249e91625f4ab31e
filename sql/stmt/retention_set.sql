-- retention_set: how long a data class is kept; hold NULL: as it is.
-- params: data_class text, retention_days int8, hold bool
-- result: one_row (id text, before text, after text)
-- role: api
-- access: write
WITH old AS (
	SELECT c.id, kaireon.retention_document(c) AS document
	FROM kaireon.retention_configs AS c
	WHERE c.tenant_id = kaireon.tenant_id() AND c.data_class = $1::text
	FOR NO KEY UPDATE
)
UPDATE kaireon.retention_configs AS c
SET retention_days = $2::int8, legal_hold = coalesce($3::bool, c.legal_hold),
    updated_at = pg_catalog.now()
FROM old AS o
WHERE c.tenant_id = kaireon.tenant_id() AND c.id = o.id
RETURNING c.id, o.document::text, kaireon.retention_document(c)::text;
