-- alert_update: an alert rule gets its fields. What it watches begins anew when
-- that changed. An evaluation that is under way saw the rule as it was: its transition
-- is not ours any more, so it moves nothing.
-- params: id text, fields jsonb
-- result: one_row (document text, shown text)
-- role: api
-- access: write
WITH made AS (
	UPDATE kaireon.alert_rules AS r
	SET (name, metric, operator, threshold, window_minutes, channels, cooldown_minutes,
	     for_minutes, notify_resolved, enabled)
	  = (f."name", f."metric", f."operator", f."threshold", f."windowMinutes", f."channels",
	     f."cooldownMinutes", f."forMinutes", f."notifyResolved", f."enabled"),
	    (state, status, state_since)
	  = (SELECT c.state, c.status, c.state_since FROM (VALUES
		(true, 'ok', 'ok', pg_catalog.now()),
		(false, r.state, r.status, r.state_since)) AS c (anew, state, status, state_since)
	     WHERE c.anew = ((r.metric, r.operator, r.threshold, r.window_minutes, r.enabled)
	                     IS DISTINCT FROM (f."metric", f."operator", f."threshold", f."windowMinutes", f."enabled"))),
	    transition = r.transition + 1, updated_at = pg_catalog.now()
	FROM pg_catalog.jsonb_to_record($2::jsonb) AS f ("name" text, "metric" text, "operator" text, "threshold" float8,
		"windowMinutes" int8, "channels" jsonb, "cooldownMinutes" int8, "forMinutes" int8,
		"notifyResolved" bool, "enabled" bool)
	WHERE r.tenant_id = kaireon.tenant_id() AND r.id = $1::text
	RETURNING r.*
)
SELECT kaireon.alert_document(m::kaireon.alert_rules)::text, $2::jsonb::text FROM made AS m;
