-- run_jobs_release: the jobs of a run that was held are due.
-- params: run_id text
-- result: none
-- role: api
-- access: write
UPDATE kaireon.jobs AS j
SET seq = DEFAULT, run_at = pg_catalog.now()
WHERE j.tenant_id = kaireon.tenant_id() AND j.topic = 'campaign_runs' AND j.payload->>'runId' = $1::text;
