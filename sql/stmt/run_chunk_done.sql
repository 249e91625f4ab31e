-- run_chunk_done: the chunk is decided; the last one moves the run to its next step.
-- params: run_id text, chunk int8, dropped_qualification int8, dropped_contact_policy int8, conversion_failures int8, errors int8
-- result: none
-- role: worker
-- access: write
WITH held AS MATERIALIZED (
	-- the run before its chunk, as whoever cancels or deletes it
	SELECT r.id FROM kaireon.campaign_runs AS r
	WHERE r.tenant_id = kaireon.tenant_id() AND r.id = $1::text
	FOR NO KEY UPDATE OF r
), done AS (
	UPDATE kaireon.campaign_run_chunks AS k
	SET done_at = pg_catalog.clock_timestamp(), dropped_qualification = $3::int8,
	    dropped_contact_policy = $4::int8, conversion_failures = $5::int8, errors = $6::int8
	FROM held AS h
	WHERE k.tenant_id = kaireon.tenant_id() AND k.run_id = h.id AND k.chunk = $2::int8
	  AND k.done_at IS NULL
	RETURNING k.customers
), moved AS (
	UPDATE kaireon.campaign_runs AS r
	SET chunks_done = r.chunks_done + 1, processed = r.processed + d.customers,
	    step = CASE WHEN r.chunks_done + 1 = r.chunks THEN 'allocate' ELSE r.step END
	FROM done AS d
	WHERE r.tenant_id = kaireon.tenant_id() AND r.id = $1::text
	RETURNING r.tenant_id, r.id, r.chunks_done = r.chunks AS is_last
)
INSERT INTO kaireon.jobs (tenant_id, id, topic, kind, payload, max_attempts)
SELECT m.tenant_id, kaireon.id_derive('job', kaireon.id_time(pg_catalog.now()), m.id || '/allocate' || pg_catalog.clock_timestamp()),
       'campaign_runs', 'run_allocate', pg_catalog.jsonb_build_object('runId', m.id), 25
FROM moved AS m
WHERE m.is_last;
