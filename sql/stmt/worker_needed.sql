-- worker_needed: is there a due job that nobody works at, and no worker at all, not even
-- one that was started for what is due?
-- params:
-- result: one_row (needed bool)
-- role: worker
-- access: read
WITH session AS MATERIALIZED (
	SELECT a.pid, a.backend_start, a.application_name
	FROM pg_catalog.pg_stat_activity AS a
	WHERE a.usename = current_user
)
SELECT NOT EXISTS (SELECT FROM session AS s WHERE s.application_name LIKE 'kaireon-worker%')
   AND EXISTS (SELECT FROM kaireon.tenants AS t
               CROSS JOIN LATERAL (
			SELECT FROM kaireon.jobs AS j
			WHERE j.tenant_id = t.tenant_id AND j.run_at <= pg_catalog.now()
			  AND (j.leased_until IS NULL OR j.leased_until < pg_catalog.now() OR NOT EXISTS (
				SELECT FROM session AS s
				WHERE s.pid = j.lease_pid AND s.backend_start = j.lease_start))
			LIMIT 1) AS d);
