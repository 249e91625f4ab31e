-- provider_update: a provider gets its fields; without a config it keeps its own.
-- params: id text, fields jsonb, config bytea
-- result: one_row (document text, shown text)
-- role: api
-- access: write
WITH made AS (
	UPDATE kaireon.notification_providers AS p
	SET name = f."name", enabled = f."enabled", config = coalesce($3::bytea, p.config),
	    config_shown = f."config", config_summary = f."configSummary", updated_at = pg_catalog.now()
	FROM pg_catalog.jsonb_to_record($2::jsonb) AS f ("name" text, "enabled" bool,
		"config" jsonb, "configSummary" text)
	WHERE p.tenant_id = kaireon.tenant_id() AND p.id = $1::text
	RETURNING p.*
)
SELECT kaireon.provider_document(m::kaireon.notification_providers)::text, $2::jsonb::text FROM made AS m;
