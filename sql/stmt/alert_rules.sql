-- alert_rules: the enabled rules of all active tenants, for the evaluation.
-- params:
-- result: rows (tenant_id text, id text, name text, metric text, operator text, threshold float8, window_minutes int8, cooldown_minutes int8, for_minutes int8, notify_resolved bool, state text, state_since timestamptz, status text, last_fired_at timestamptz, transition int8, destinations int8)
-- role: worker
-- access: read
SELECT r.tenant_id, r.id, r.name, r.metric, r.operator, r.threshold, r.window_minutes,
       r.cooldown_minutes, r.for_minutes, r.notify_resolved, r.state, r.state_since,
       r.status, r.last_fired_at, r.transition, pg_catalog.jsonb_array_length(r.channels)::int8
FROM kaireon.alert_rules AS r
JOIN kaireon.tenants AS t ON t.tenant_id = r.tenant_id AND t.status = 'active'
WHERE r.enabled
ORDER BY r.tenant_id, r.id;
