-- run_load: what was fixed for a run, for its steps.
-- params: id text
-- result: zero_or_one (status text, config jsonb, now timestamptz, day timestamptz, week timestamptz, month timestamptz, ceiling xid8, run_month text, campaign_id text, space text, view_name text, started_at timestamptz)
-- role: worker
-- access: read
SELECT r.status, r.config, r.planned_now,
       pg_catalog.date_trunc('day', r.planned_now, t.time_zone),
       pg_catalog.date_trunc('week', r.planned_now, t.time_zone),
       pg_catalog.date_trunc('month', r.planned_now, t.time_zone),
       r.xid_ceiling, r.run_month::text, r.campaign_id, 't_' || r.tenant_id, s.view_name, r.started_at
FROM kaireon.campaign_runs AS r
JOIN kaireon.tenants AS t ON t.tenant_id = r.tenant_id
JOIN kaireon.campaigns AS c ON c.tenant_id = r.tenant_id AND c.id = r.campaign_id
JOIN kaireon.segments AS s ON s.tenant_id = c.tenant_id AND s.id = coalesce(r.config ->> 'segmentId', r.segment_id, c.segment_id)
WHERE r.tenant_id = kaireon.tenant_id() AND r.id = $1::text AND r.config IS NOT NULL;
