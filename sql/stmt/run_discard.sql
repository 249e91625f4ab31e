-- run_discard: a run that was planned and ended without a result may have left decisions
-- and, in its last step, its file: a job removes them. A file in S3 may be on its way
-- still, sent by a worker that lost its session: the job comes later than what was sent.
-- params: job_id text, run_id text
-- result: none
-- role: api, worker
-- access: write
INSERT INTO kaireon.jobs (tenant_id, id, topic, kind, payload, max_attempts, run_at)
SELECT r.tenant_id, $1::text, 'campaign_runs', 'run_discard',
       pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object('runId', r.id, 'file', f.config)), 25,
       pg_catalog.now() + CASE WHEN f.config ->> 'destination' = 's3'
                          THEN interval '1 minute' ELSE interval '0' END
FROM kaireon.campaign_runs AS r
CROSS JOIN LATERAL (SELECT CASE WHEN r.step = 'finish' THEN r.config #> '{campaign,fileConfig}' END) AS f (config)
WHERE r.tenant_id = kaireon.tenant_id() AND r.id = $2::text
  AND r.step <> 'plan' AND r.status IN ('cancelled', 'failed');
