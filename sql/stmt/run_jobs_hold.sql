-- run_jobs_hold: nobody works on a run: who has one of its jobs cannot complete it.
-- After the run's row is locked, so that a step that ends now has queued what follows.
-- params: run_id text
-- result: none
-- role: api
-- access: write
UPDATE kaireon.jobs AS j
SET seq = DEFAULT, run_at = 'infinity', fence = j.fence + 1, leased_until = NULL, lease_pid = NULL, lease_start = NULL,
    attempts = greatest(j.attempts - CASE WHEN j.leased_until IS NULL THEN 0 ELSE 1 END, 0)
WHERE j.tenant_id = kaireon.tenant_id() AND j.topic = 'campaign_runs' AND j.payload->>'runId' = $1::text;
