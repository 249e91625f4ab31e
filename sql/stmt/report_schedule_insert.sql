-- report_schedule_insert: a new schedule from its fields.
-- params: id text, fields jsonb, next_run_at timestamptz
-- result: one_row (document text, shown text)
-- role: api
-- access: write
WITH made AS (
	INSERT INTO kaireon.report_schedules (tenant_id, id, template_id, name, cron_expression, timezone, destinations, enabled, next_run_at)
	SELECT kaireon.tenant_id(), $1::text, f."templateId", f."name", f."cronExpression", f."timezone", f."destinations", f."enabled", $3::timestamptz
	FROM pg_catalog.jsonb_to_record($2::jsonb) AS f ("templateId" text, "name" text, "cronExpression" text, "timezone" text, "destinations" jsonb, "enabled" bool)
	RETURNING report_schedules.*
)
SELECT kaireon.report_schedule_document(m::kaireon.report_schedules)::text, $2::jsonb::text FROM made AS m;
