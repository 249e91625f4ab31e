-- campaign_update: a campaign gets its validated fields.
-- params: id text, fields jsonb, next_run_at timestamptz
-- result: one_row (document text)
-- role: api
-- access: write
WITH made AS (
	UPDATE kaireon.campaigns AS c
	SET (name, description, status, decision_flow_id, segment_id, schedule_type,
	     schedule_day_of_week, schedule_day_of_month, schedule_time, schedule_timezone,
	     schedule_cron, volume_constraints, file_config, channel_ids)
	  = (f."name", f."description", f."status", f."decisionFlowId", f."segmentId",
	     f."scheduleType", f."scheduleDayOfWeek", f."scheduleDayOfMonth", f."scheduleTime",
	     f."scheduleTimezone", f."scheduleCron", f."volumeConstraints", f."fileConfig",
	     f."channelIds"),
	    next_run_at = $3::timestamptz, updated_at = pg_catalog.now()
	FROM pg_catalog.jsonb_to_record($2::jsonb) AS f ("name" text, "description" text,
		"status" text, "decisionFlowId" text, "segmentId" text, "scheduleType" text,
		"scheduleDayOfWeek" int8, "scheduleDayOfMonth" text, "scheduleTime" text,
		"scheduleTimezone" text, "scheduleCron" text, "volumeConstraints" jsonb,
		"fileConfig" jsonb, "channelIds" jsonb)
	WHERE c.tenant_id = kaireon.tenant_id() AND c.id = $1::text
	RETURNING c.*
)
SELECT kaireon.campaign_document(m::kaireon.campaigns)::text FROM made AS m;
