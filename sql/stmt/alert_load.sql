-- alert_load: a rule's fields; held until the transaction ends.
-- params: id text
-- result: zero_or_one (fields jsonb)
-- role: api
-- access: write
SELECT pg_catalog.jsonb_build_object('name', r.name, 'metric', r.metric,
	'operator', r.operator, 'threshold', r.threshold, 'windowMinutes', r.window_minutes,
	'channels', r.channels, 'cooldownMinutes', r.cooldown_minutes,
	'forMinutes', r.for_minutes, 'notifyResolved', r.notify_resolved, 'enabled', r.enabled)
FROM kaireon.alert_rules AS r
WHERE r.tenant_id = kaireon.tenant_id() AND r.id = $1::text
FOR UPDATE OF r;
