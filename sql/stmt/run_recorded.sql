-- run_recorded: the chunk is in the ledger; the last one moves the run to its next step.
-- params: run_id text, chunk int8, max_attempts int4
-- result: none
-- role: worker
-- access: write
WITH held AS MATERIALIZED (
	-- the run before its chunk, as whoever cancels or deletes it
	SELECT r.tenant_id, r.id FROM kaireon.campaign_runs AS r
	WHERE r.tenant_id = kaireon.tenant_id() AND r.id = $1::text
	FOR NO KEY UPDATE OF r
), gone AS (
	DELETE FROM kaireon.campaign_run_packs AS p
	USING held AS h
	WHERE p.tenant_id = h.tenant_id AND p.run_id = h.id AND p.chunk = $2::int8
	RETURNING p.run_id
), allocations AS (
	DELETE FROM kaireon.campaign_run_allocations AS a
	USING held AS h
	WHERE a.tenant_id = h.tenant_id AND a.run_id = h.id AND a.chunk = $2::int8
), moved AS (
	UPDATE kaireon.campaign_runs AS r
	SET chunks_recorded = r.chunks_recorded + 1,
	    step = CASE WHEN r.chunks_recorded + 1 = r.chunks THEN 'finish' ELSE r.step END
	FROM gone AS g
	WHERE r.tenant_id = kaireon.tenant_id() AND r.id = g.run_id
	RETURNING r.tenant_id, r.id, r.chunks_recorded = r.chunks AS is_last
)
INSERT INTO kaireon.jobs (tenant_id, id, topic, kind, payload, max_attempts)
SELECT m.tenant_id, kaireon.id_derive('job', kaireon.id_time(pg_catalog.now()), m.id || '/finish' || pg_catalog.clock_timestamp()),
       'campaign_runs', 'run_finish', pg_catalog.jsonb_build_object('runId', m.id), $3::int4
FROM moved AS m
WHERE m.is_last;
