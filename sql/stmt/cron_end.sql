-- cron_end: a call of a cron job ended: its row, the tenants' parts, the job's sums.
-- params: id text, ok bool, complete bool, totals jsonb, rows int8, seconds float8, tenants text[], results text[]
-- result: none
-- role: worker
-- access: write
WITH run AS (
	UPDATE kaireon.cron_runs AS r
	SET finished_at = pg_catalog.clock_timestamp(), ok = $2::bool, complete = $3::bool,
	    totals = $4::jsonb
	WHERE r.id = $1::text
	RETURNING r.job
), parts AS (
	INSERT INTO kaireon.cron_run_tenants (tenant_id, cron_run_id, result)
	SELECT p.tenant_id, $1::text, p.result::jsonb
	FROM unnest($7::text[], $8::text[]) AS p (tenant_id, result)
)
INSERT INTO kaireon.cron_jobs AS j (job, runs, failures, rows_total, seconds_total, last_success_at)
SELECT r.job, 1, CASE WHEN $2::bool THEN 0 ELSE 1 END, $5::int8, $6::float8,
       CASE WHEN $2::bool THEN pg_catalog.clock_timestamp() END
FROM run AS r
ON CONFLICT (job) DO UPDATE
SET runs = j.runs + 1, failures = j.failures + excluded.failures,
    rows_total = j.rows_total + excluded.rows_total,
    seconds_total = j.seconds_total + excluded.seconds_total,
    last_success_at = coalesce(excluded.last_success_at, j.last_success_at);
