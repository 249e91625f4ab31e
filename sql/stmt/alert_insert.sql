-- alert_insert: a new alert rule from its fields.
-- params: id text, fields jsonb
-- result: one_row (document text, shown text)
-- role: api
-- access: write
WITH made AS (
	INSERT INTO kaireon.alert_rules (tenant_id, id, name, metric, operator, threshold,
		window_minutes, channels, cooldown_minutes, for_minutes, notify_resolved, enabled)
	SELECT kaireon.tenant_id(), $1::text, f."name", f."metric", f."operator", f."threshold",
	       f."windowMinutes", f."channels", f."cooldownMinutes", f."forMinutes",
	       f."notifyResolved", f."enabled"
	FROM pg_catalog.jsonb_to_record($2::jsonb) AS f ("name" text, "metric" text, "operator" text, "threshold" float8,
		"windowMinutes" int8, "channels" jsonb, "cooldownMinutes" int8, "forMinutes" int8,
		"notifyResolved" bool, "enabled" bool)
	RETURNING alert_rules.*
)
SELECT kaireon.alert_document(m::kaireon.alert_rules)::text, $2::jsonb::text FROM made AS m;
