-- cron_run_list: the newest calls of cron jobs, or of one job, with the tenant's part.
-- params: job text, max int8
-- result: one_row (runs text)
-- role: api
-- access: read
SELECT pg_catalog.json_build_object('cronRuns', coalesce(pg_catalog.json_agg(
	pg_catalog.json_build_object('id', r.id, 'job', r.job,
		'startedAt', kaireon.time_text(r.started_at),
		'finishedAt', kaireon.time_text(r.finished_at),
		'ok', r.ok, 'skipped', r.skipped, 'complete', r.complete,
		'totals', r.totals, 'tenant', p.result)
	ORDER BY r.started_at DESC, r.id DESC), '[]'))::text
FROM (SELECT n.*
      FROM kaireon.cron_runs AS n
      WHERE $1::text IS NULL OR n.job = $1::text
      ORDER BY n.started_at DESC, n.id DESC
      LIMIT $2::int8) AS r
LEFT JOIN kaireon.cron_run_tenants AS p
  ON p.tenant_id = kaireon.tenant_id() AND p.cron_run_id = r.id;
