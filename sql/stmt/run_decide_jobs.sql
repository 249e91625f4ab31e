-- run_decide_jobs: a job for each chunk of a run.
-- params: run_id text, max_attempts int4
-- result: none
-- role: worker
-- access: write
INSERT INTO kaireon.jobs (tenant_id, id, topic, kind, payload, max_attempts)
SELECT k.tenant_id,
       kaireon.id_derive('job', kaireon.id_time(pg_catalog.now()), k.run_id || '/' || k.chunk || pg_catalog.clock_timestamp()),
       'campaign_runs', 'run_decide',
       pg_catalog.jsonb_build_object('runId', k.run_id, 'chunk', k.chunk), $2::int4
FROM kaireon.campaign_run_chunks AS k
WHERE k.tenant_id = kaireon.tenant_id() AND k.run_id = $1::text
ORDER BY k.chunk;
