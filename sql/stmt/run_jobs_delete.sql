-- run_jobs_delete: a run has nothing left to do.
-- params: run_id text
-- result: none
-- role: api, worker
-- access: write
DELETE FROM kaireon.jobs AS j
WHERE j.tenant_id = kaireon.tenant_id() AND j.topic = 'campaign_runs' AND j.payload->>'runId' = $1::text;
