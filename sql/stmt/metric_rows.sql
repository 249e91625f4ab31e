-- metric_rows: what the database knows, of all tenants and of none.
-- params:
-- result: rows (family text, tenant text, label1 text, label2 text, value float8)
-- role: worker
-- access: read
SELECT 'kaireon_gitops_drift_resources', d.tenant_id, d.kind, d.op, d.resources::float8
FROM kaireon.gitops_drift AS d
UNION ALL
SELECT 'kaireon_queue_jobs', j.tenant_id, j.topic,
       CASE WHEN j.leased_until IS NULL THEN 'waiting' ELSE 'leased' END, count(*)::float8
FROM kaireon.jobs AS j
GROUP BY 2, 3, 4
UNION ALL
SELECT 'kaireon_dead_letters', c.tenant_id, c.topic, NULL, pg_catalog.sum(c.events)::float8
FROM kaireon.dead_letter_counts AS c
GROUP BY 2, 3
HAVING pg_catalog.sum(c.events) > 0
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
