-- provider_insert: a new provider. What is in fields is what may be seen.
-- params: id text, fields jsonb, config bytea
-- result: one_row (document text, shown text)
-- role: api
-- access: write
WITH made AS (
	INSERT INTO kaireon.notification_providers (tenant_id, id, kind, name, enabled,
		config, config_shown, config_summary)
	SELECT kaireon.tenant_id(), $1::text, f."kind", f."name", f."enabled", $3::bytea,
	       f."config", f."configSummary"
	FROM pg_catalog.jsonb_to_record($2::jsonb) AS f ("kind" text, "name" text,
		"enabled" bool, "config" jsonb, "configSummary" text)
	RETURNING notification_providers.*
)
SELECT kaireon.provider_document(m::kaireon.notification_providers)::text, $2::jsonb::text FROM made AS m;
