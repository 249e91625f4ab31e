-- campaign_list: a page of campaigns, newest first, with what their documents need;
-- one row without an id when the page is empty. The documents are written by
-- lib/campaign/list.c: making JSON here takes most of the request's time.
-- params: limit int8, offset int8
-- result: rows (total int8, id text, name text, description text, status text, decision_flow_id text, decision_flow_name text, segment_id text, segment_name text, segment_customer_count int8, schedule_type text, schedule_day_of_week int8, schedule_day_of_month text, schedule_time text, schedule_timezone text, schedule_cron text, next_run_at timestamptz, volume_constraints jsonb, file_config jsonb, channel_ids jsonb, run_count int8, last_run_at timestamptz, run_id text, run_campaign_id text, run_run_number int8, run_triggered_by text, run_status text, run_created_at timestamptz, run_started_at timestamptz, run_completed_at timestamptz, run_customers int8, run_processed int8, run_percent numeric, run_eta_seconds int8, run_summary jsonb, run_error text, created_at timestamptz, updated_at timestamptz)
-- role: api
-- access: read
SELECT n.total, c.id, c.name, c.description, c.status, c.decision_flow_id, f.name,
       c.segment_id, s.name, s.customer_count, c.schedule_type, c.schedule_day_of_week,
       c.schedule_day_of_month, c.schedule_time, c.schedule_timezone, c.schedule_cron,
       c.next_run_at, c.volume_constraints, c.file_config, c.channel_ids, c.run_count,
       c.last_run_at, r.id, r.campaign_id, r.run_number, r.triggered_by, r.status,
       r.created_at, r.started_at, r.completed_at, r.customers, r.processed,
       CASE WHEN r.step = 'done' THEN 100 WHEN r.customers > 0
	            THEN round(100.0 * r.processed / r.customers, 1) ELSE 0 END,
       CASE WHEN r.status = 'running' AND r.processed > 0
	            THEN ceil(extract(epoch FROM pg_catalog.now() - r.started_at)
	                 * (r.customers - r.processed) / r.processed)::int8 END,
       CASE WHEN r.step = 'done' THEN r.summary END, r.error, c.created_at, c.updated_at
FROM (SELECT count(*) AS total FROM kaireon.campaigns AS c
      WHERE c.tenant_id = kaireon.tenant_id()) AS n
LEFT JOIN ((SELECT c.* FROM kaireon.campaigns AS c
            WHERE c.tenant_id = kaireon.tenant_id()
            ORDER BY c.created_at DESC, c.id DESC
            LIMIT $1::int8 OFFSET $2::int8) AS c
	JOIN kaireon.decision_flows AS f ON f.tenant_id = c.tenant_id AND f.id = c.decision_flow_id
	JOIN kaireon.segments AS s ON s.tenant_id = c.tenant_id AND s.id = c.segment_id
	LEFT JOIN LATERAL (SELECT x.* FROM kaireon.campaign_runs AS x
	                   WHERE x.tenant_id = c.tenant_id AND x.campaign_id = c.id
	                   ORDER BY x.run_number DESC LIMIT 1) AS r ON true) ON true
ORDER BY c.created_at DESC, c.id DESC;
