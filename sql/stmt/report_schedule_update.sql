-- report_schedule_update: a schedule gets its fields, and the time of its next run.
-- params: id text, fields jsonb, next_run_at timestamptz
-- result: one_row (document text, shown text)
-- role: api
-- access: write
WITH made AS (
	UPDATE kaireon.report_schedules AS s
	SET (template_id, name, cron_expression, timezone, destinations, enabled)
	  = (f."templateId", f."name", f."cronExpression", f."timezone", f."destinations", f."enabled"),
	    -- what is due stays due when only a name changes
	    next_run_at = CASE WHEN s.next_run_at IS NULL
	                         OR (s.cron_expression, s.timezone, s.enabled)
	                            IS DISTINCT FROM (f."cronExpression", f."timezone", f."enabled")
	                  THEN $3::timestamptz ELSE s.next_run_at END,
	    updated_at = pg_catalog.now()
	FROM pg_catalog.jsonb_to_record($2::jsonb) AS f ("templateId" text, "name" text, "cronExpression" text, "timezone" text, "destinations" jsonb, "enabled" bool)
	WHERE s.tenant_id = kaireon.tenant_id() AND s.id = $1::text
	RETURNING s.*
)
SELECT kaireon.report_schedule_document(m::kaireon.report_schedules)::text, $2::jsonb::text FROM made AS m;
