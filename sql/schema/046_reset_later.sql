-- A reset lets what is on its way to S3 arrive before it removes it.

-- as before; the job comes later than what may be on its way to S3, as in run_discard
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
		INSERT INTO kaireon.jobs (tenant_id, id, topic, kind, payload, max_attempts, run_at)
		SELECT kaireon.tenant_id(), purge_job_id, 'campaign_runs', 'run_purge', jsonb_build_object('runs',
		       jsonb_agg(jsonb_build_object('id', g.id, 'month', g.run_month,
		                                    'file', g.config #> '{campaign,fileConfig}'))), 25,
		       now() + CASE WHEN bool_or(g.config #>> '{campaign,fileConfig,destination}' = 's3')
		               THEN interval '1 minute' ELSE interval '0' END
		FROM gone AS g
		HAVING count(*) > 0
	)
	SELECT count(*) FROM gone;
END;
