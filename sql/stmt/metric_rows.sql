-- metric_rows: the gauges that the database knows, of all tenants.
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
SELECT 'kaireon_dead_letters', e.tenant_id, e.topic, NULL, count(*)::float8
FROM kaireon.dead_letter_events AS e
GROUP BY 2, 3
ORDER BY 1, 2, 3, 4;
