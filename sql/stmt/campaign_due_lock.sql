-- campaign_due_lock: a campaign whose time has come, held until this transaction ends. No
-- row: somebody else has it, or has seen to it.
-- params: id text
-- result: zero_or_one (fields jsonb, next_run_at timestamptz, now timestamptz)
-- role: worker
-- access: write
SELECT pg_catalog.jsonb_build_object(
	'status', c.status, 'scheduleType', c.schedule_type,
	'scheduleDayOfWeek', c.schedule_day_of_week, 'scheduleDayOfMonth', c.schedule_day_of_month,
	'scheduleTime', c.schedule_time, 'scheduleTimezone', c.schedule_timezone,
	'scheduleCron', c.schedule_cron),
	c.next_run_at, pg_catalog.now()
FROM kaireon.campaigns AS c
WHERE c.tenant_id = kaireon.tenant_id() AND c.id = $1::text
  AND c.status = 'active' AND c.next_run_at <= pg_catalog.now()
FOR UPDATE OF c SKIP LOCKED;
