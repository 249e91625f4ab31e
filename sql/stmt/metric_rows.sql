-- metric_rows: what the database knows, of all tenants and of none; for the API's role of
-- its tenant and of none.
-- params:
-- result: rows (family text, tenant text, label1 text, label2 text, value float8)
-- role: api, worker
-- access: read
WITH counted AS MATERIALIZED (
	SELECT kaireon.queue_count_holds() AS holds
), queue AS (
	SELECT c.tenant_id, c.topic, c.waiting, c.leased, c.oldest_run_at
	FROM kaireon.queue_counts AS c
	WHERE (SELECT holds FROM counted)
	UNION ALL
	SELECT j.tenant_id, j.topic, count(*) FILTER (WHERE j.leased_until IS NULL),
	       count(*) FILTER (WHERE j.leased_until IS NOT NULL),
	       min(j.run_at) FILTER (WHERE j.leased_until IS NULL)
	FROM kaireon.jobs AS j
	WHERE NOT (SELECT holds FROM counted)
	GROUP BY j.tenant_id, j.topic
)
SELECT 'kaireon_gitops_drift_resources', d.tenant_id, d.kind, d.op, d.resources::float8
FROM kaireon.gitops_drift AS d
UNION ALL
SELECT m.family, q.tenant_id, q.topic, m.state, m.value
FROM queue AS q
CROSS JOIN LATERAL (VALUES
	('kaireon_queue_jobs', 'waiting', nullif(q.waiting, 0)::float8),
	('kaireon_queue_jobs', 'leased', nullif(q.leased, 0)::float8),
	('kaireon_queue_oldest_seconds', NULL,
	 greatest(0, extract(epoch FROM pg_catalog.now() - q.oldest_run_at))::float8)) AS m (family, state, value)
WHERE m.value IS NOT NULL
UNION ALL
SELECT 'kaireon_dead_letters', c.tenant_id, c.topic, NULL, pg_catalog.sum(c.events)::float8
FROM kaireon.dead_letter_counts AS c
GROUP BY 2, 3
HAVING pg_catalog.sum(c.events) > 0
UNION ALL
SELECT 'kaireon_dlq_depth', c.tenant_id, NULL, NULL, pg_catalog.sum(c.events)::float8
FROM kaireon.dead_letter_counts AS c
GROUP BY 2
UNION ALL
SELECT m.family, NULL, j.job, NULL, m.value
FROM kaireon.cron_jobs AS j
CROSS JOIN LATERAL (VALUES
	('kaireon_cron_runs_total', j.runs::float8),
	('kaireon_cron_failures_total', j.failures::float8),
	('kaireon_cron_rows_total', j.rows_total::float8),
	('kaireon_cron_duration_seconds_total', j.seconds_total),
	('kaireon_cron_last_success_timestamp_seconds',
	 extract(epoch FROM j.last_success_at)::float8)) AS m (family, value)
WHERE m.value IS NOT NULL
ORDER BY 1, 2, 3, 4;
