-- report_schedule_load: a schedule's fields; held until the transaction ends.
-- params: id text
-- result: zero_or_one (fields jsonb)
-- role: api
-- access: write
SELECT pg_catalog.jsonb_build_object('templateId', s.template_id, 'name', s.name,
	'cronExpression', s.cron_expression, 'timezone', s.timezone,
	'destinations', s.destinations, 'enabled', s.enabled)
FROM kaireon.report_schedules AS s
WHERE s.tenant_id = kaireon.tenant_id() AND s.id = $1::text
FOR UPDATE OF s;
