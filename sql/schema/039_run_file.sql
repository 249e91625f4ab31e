-- What a run left in S3 goes with it; what names an erased customer goes too.

-- as before; the job is told where the files lie, and outlives an outage of S3
CREATE OR REPLACE FUNCTION kaireon.tenant_reset_begin(purge_job_id text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	tenant text := kaireon.tenant_id();
	cancelled bigint;
BEGIN
	UPDATE kaireon.campaign_runs AS r
	SET status = 'cancelled', completed_at = clock_timestamp()
	WHERE r.tenant_id = tenant AND r.status IN ('pending', 'running', 'paused');
	GET DIAGNOSTICS cancelled = ROW_COUNT;
	-- runs first, as the step that ends one has it
	PERFORM kaireon.tenant_reset_allow();
	DELETE FROM kaireon.jobs AS j
	WHERE j.tenant_id = tenant AND j.kind NOT IN ('run_purge', 'run_discard');
	INSERT INTO kaireon.jobs (tenant_id, id, topic, kind, payload, max_attempts)
	SELECT tenant, purge_job_id, 'campaign_runs', 'run_purge', jsonb_build_object('runs',
	       jsonb_agg(jsonb_build_object('id', r.id, 'month', r.run_month,
	                                    'file', r.config #> '{campaign,fileConfig}'))), 25
	FROM kaireon.campaign_runs AS r
	WHERE r.tenant_id = tenant
	HAVING count(*) > 0;
	RETURN cancelled;
END
$$;

-- bounds of chunks, and errors that name a customer
GRANT UPDATE (low, high) ON kaireon.campaign_run_chunks TO kaireon_api;
GRANT UPDATE (error, errors) ON kaireon.dead_letter_events TO kaireon_api;
