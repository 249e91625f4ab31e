-- run_allocated: the limits are settled; what they did is kept for the summary. What was
-- given goes into the ledger, chunk by chunk; without limits it is there. A chunk's job
-- has no kind of its own: a worker of an earlier version would fail the run for a kind that
-- it does not know, while what it does for this one is refused (run_is_recorded) and tried
-- again.
-- params: run_id text, allocation jsonb, max_attempts int4
-- result: none
-- role: worker
-- access: write
WITH packs AS MATERIALIZED (
	SELECT p.tenant_id, p.run_id, p.chunk FROM kaireon.campaign_run_packs AS p
	WHERE p.tenant_id = kaireon.tenant_id() AND p.run_id = $1::text
), moved AS (
	UPDATE kaireon.campaign_runs AS r
	SET step = CASE WHEN EXISTS (SELECT FROM packs) THEN 'record' ELSE 'finish' END,
	    chunks_recorded = 0, summary = $2::jsonb
	WHERE r.tenant_id = kaireon.tenant_id() AND r.id = $1::text
	RETURNING r.tenant_id, r.id, r.step
)
INSERT INTO kaireon.jobs (tenant_id, id, topic, kind, payload, max_attempts)
SELECT m.tenant_id,
       kaireon.id_derive('job', kaireon.id_time(pg_catalog.now()), m.id || '/' || coalesce(p.chunk, -1) || pg_catalog.clock_timestamp()),
       'campaign_runs', CASE m.step WHEN 'record' THEN 'run_allocate' ELSE 'run_finish' END,
       pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object('runId', m.id, 'chunk', p.chunk)), $3::int4
FROM moved AS m
LEFT JOIN packs AS p ON true
ORDER BY p.chunk;
