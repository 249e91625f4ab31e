-- run_discard: a run that reached its last step and ended without a result may have left
-- its file: a job removes it.
-- params: job_id text, run_id text
-- result: none
-- role: api, worker
-- access: write
INSERT INTO kaireon.jobs (tenant_id, id, topic, kind, payload, max_attempts)
SELECT r.tenant_id, $1::text, 'campaign_runs', 'run_discard', pg_catalog.jsonb_build_object('runId', r.id), 25
FROM kaireon.campaign_runs AS r
WHERE r.tenant_id = kaireon.tenant_id() AND r.id = $2::text
  AND r.step = 'finish' AND r.status IN ('cancelled', 'failed');
