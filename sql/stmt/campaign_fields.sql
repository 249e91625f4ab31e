-- campaign_fields: a campaign as its body would have it, held until this transaction ends.
-- params: id text
-- result: zero_or_one (fields jsonb)
-- role: api
-- access: write
SELECT pg_catalog.jsonb_build_object(
	'name', c.name, 'description', c.description, 'status', c.status,
	'decisionFlowId', c.decision_flow_id, 'segmentId', c.segment_id,
	'scheduleType', c.schedule_type, 'scheduleDayOfWeek', c.schedule_day_of_week,
	'scheduleDayOfMonth', c.schedule_day_of_month, 'scheduleTime', c.schedule_time,
	'scheduleTimezone', c.schedule_timezone, 'scheduleCron', c.schedule_cron,
	'volumeConstraints', c.volume_constraints, 'fileConfig', c.file_config,
	'channelIds', c.channel_ids)
FROM kaireon.campaigns AS c
WHERE c.tenant_id = kaireon.tenant_id() AND c.id = $1::text
FOR UPDATE OF c;
