-- campaign_insert: a new campaign from its validated fields.
-- params: id text, fields jsonb, next_run_at timestamptz
-- result: one_row (document text)
-- role: api
-- access: write
WITH made AS (
	INSERT INTO kaireon.campaigns (tenant_id, id, name, description, status,
		decision_flow_id, segment_id, schedule_type, schedule_day_of_week,
		schedule_day_of_month, schedule_time, schedule_timezone, schedule_cron,
		next_run_at, volume_constraints, file_config, channel_ids)
	SELECT kaireon.tenant_id(), $1::text, f."name", f."description", f."status",
	       f."decisionFlowId", f."segmentId", f."scheduleType", f."scheduleDayOfWeek",
	       f."scheduleDayOfMonth", f."scheduleTime", f."scheduleTimezone", f."scheduleCron",
	       $3::timestamptz, f."volumeConstraints", f."fileConfig", f."channelIds"
	FROM pg_catalog.jsonb_to_record($2::jsonb) AS f ("name" text, "description" text,
		"status" text, "decisionFlowId" text, "segmentId" text, "scheduleType" text,
		"scheduleDayOfWeek" int8, "scheduleDayOfMonth" text, "scheduleTime" text,
		"scheduleTimezone" text, "scheduleCron" text, "volumeConstraints" jsonb,
		"fileConfig" jsonb, "channelIds" jsonb)
	RETURNING campaigns.*
)
SELECT kaireon.campaign_document(m::kaireon.campaigns)::text FROM made AS m;
