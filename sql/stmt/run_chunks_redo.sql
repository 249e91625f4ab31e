-- run_chunks_redo: chunks whose decisions went into the ledger before the limits were
-- settled are decided again: a worker of an earlier version did them, which knew no packs.
-- params: run_id text, max_attempts int4
-- result: none
-- role: worker
-- access: write
WITH held AS MATERIALIZED (
	SELECT r.tenant_id, r.id, r.run_month FROM kaireon.campaign_runs AS r
	WHERE r.tenant_id = kaireon.tenant_id() AND r.id = $1::text
	FOR NO KEY UPDATE OF r
), bare AS (
	UPDATE kaireon.campaign_run_chunks AS k
	SET done_at = NULL
	FROM held AS h
	WHERE k.tenant_id = h.tenant_id AND k.run_id = h.id AND k.done_at IS NOT NULL
	  AND NOT EXISTS (SELECT FROM kaireon.campaign_run_packs AS p
	                  WHERE p.tenant_id = k.tenant_id AND p.run_id = k.run_id AND p.chunk = k.chunk)
	RETURNING k.tenant_id, k.run_id, h.run_month, k.chunk, k.low, k.high, k.customers
), cleaned AS (
	DELETE FROM kaireon.campaign_run_results AS l
	USING bare AS b
	WHERE l.tenant_id = b.tenant_id AND l.run_month = b.run_month AND l.run_id = b.run_id
	  AND l.customer_id BETWEEN b.low AND b.high
), moved AS (
	UPDATE kaireon.campaign_runs AS r
	SET step = 'decide', chunks_done = r.chunks_done - s.chunks, processed = r.processed - s.customers
	FROM (SELECT count(*) AS chunks, sum(b.customers) AS customers FROM bare AS b) AS s
	WHERE r.tenant_id = kaireon.tenant_id() AND r.id = $1::text AND s.chunks > 0
)
INSERT INTO kaireon.jobs (tenant_id, id, topic, kind, payload, max_attempts)
SELECT b.tenant_id,
       kaireon.id_derive('job', kaireon.id_time(pg_catalog.now()), b.run_id || '/' || b.chunk || pg_catalog.clock_timestamp()),
       'campaign_runs', 'run_decide',
       pg_catalog.jsonb_build_object('runId', b.run_id, 'chunk', b.chunk), $2::int4
FROM bare AS b
ORDER BY b.chunk;
