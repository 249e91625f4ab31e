-- A reset removes what runs left in S3, too.

-- as before; the job is told where the files lie, and outlives an outage of S3
CREATE OR REPLACE FUNCTION kaireon.tenant_runs_drop(max_rows bigint, purge_job_id text) RETURNS bigint
LANGUAGE sql SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	WITH gone AS (
		DELETE FROM kaireon.campaign_runs AS r
		WHERE r.tenant_id = kaireon.tenant_id() AND r.id IN (
			SELECT o.id FROM kaireon.campaign_runs AS o
			WHERE o.tenant_id = kaireon.tenant_id() LIMIT max_rows)
		RETURNING r.id, r.run_month, r.config
	), job AS (
		INSERT INTO kaireon.jobs (tenant_id, id, topic, kind, payload, max_attempts)
		SELECT kaireon.tenant_id(), purge_job_id, 'campaign_runs', 'run_purge', jsonb_build_object('runs',
		       jsonb_agg(jsonb_build_object('id', g.id, 'month', g.run_month,
		                                    'file', g.config #> '{campaign,fileConfig}'))), 25
		FROM gone AS g
		HAVING count(*) > 0
	)
	SELECT count(*) FROM gone;
END;
