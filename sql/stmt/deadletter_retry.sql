-- deadletter_retry: requeue dead letters under their ids, with their history. A run begins
-- anew, if no other run of its campaign is under way; a delivery is due again. What cannot
-- be requeued stays: its run has to wait for another, or has not failed any more, or what
-- it was about is gone.
-- params: topic text, ids text[]
-- result: one_row (requeued int8)
-- role: api
-- access: write
WITH wanted AS MATERIALIZED ( -- those that something else decides about
	SELECT e.payload, e.kind = 'delivery' AS is_delivery
	FROM kaireon.dead_letter_events AS e
	WHERE e.tenant_id = kaireon.tenant_id()
	  AND ($1::text IS NULL OR e.topic = $1::text)
	  AND ($2::text[] IS NULL OR e.id = ANY ($2::text[]))
	  AND (e.kind = 'delivery' OR e.kind LIKE 'run\_%' AND e.kind NOT IN ('run_purge', 'run_discard'))
), run AS (
	UPDATE kaireon.campaign_runs AS r
	SET status = 'pending', step = 'plan', started_at = NULL, completed_at = NULL,
	    planned_now = NULL, config = NULL, config_revision = NULL, xid_ceiling = NULL,
	    customers = NULL, chunks = NULL, chunks_done = 0, processed = 0, summary = NULL,
	    error = NULL, file_path = NULL
	WHERE r.tenant_id = kaireon.tenant_id() AND r.id IN (
		SELECT DISTINCT ON (f.campaign_id) f.id
		FROM kaireon.campaign_runs AS f
		WHERE f.tenant_id = kaireon.tenant_id() AND f.status = 'failed'
		  AND f.id IN (SELECT w.payload->>'runId' FROM wanted AS w WHERE NOT w.is_delivery)
		  AND NOT EXISTS (SELECT FROM kaireon.campaign_runs AS o
		                  WHERE o.tenant_id = kaireon.tenant_id() AND o.campaign_id = f.campaign_id
		                    AND o.status IN ('pending', 'running', 'paused'))
		ORDER BY f.campaign_id, f.run_number DESC)
	RETURNING r.id
), delivery AS (
	UPDATE kaireon.outbox_events AS o
	SET status = 'pending', attempts = 0, run_at = pg_catalog.now()
	FROM wanted AS w
	WHERE o.tenant_id = kaireon.tenant_id() AND o.id = w.payload->>'outboxId'
	  AND w.is_delivery AND o.status = 'dead'
	RETURNING o.id
), dead AS (
	DELETE FROM kaireon.dead_letter_events AS e
	WHERE e.tenant_id = kaireon.tenant_id()
	  AND ($1::text IS NULL OR e.topic = $1::text)
	  AND ($2::text[] IS NULL OR e.id = ANY ($2::text[]))
	  AND CASE WHEN e.kind = 'delivery' THEN e.payload->>'outboxId' IN (SELECT d.id FROM delivery AS d)
	           WHEN e.kind IN ('run_purge', 'run_discard') THEN true
	           WHEN e.kind LIKE 'run\_%' THEN e.payload->>'runId' IN (SELECT r.id FROM run AS r)
	           ELSE true END
	RETURNING e.id, e.topic, e.kind, e.payload, e.errors, e.max_attempts
), job AS (
	INSERT INTO kaireon.jobs (tenant_id, id, topic, kind, payload, errors, max_attempts)
	SELECT kaireon.tenant_id(), d.id, d.topic,
	       CASE WHEN d.kind LIKE 'run\_%' AND d.kind NOT IN ('run_purge', 'run_discard') THEN 'run_plan' ELSE d.kind END,
	       d.payload, d.errors, d.max_attempts
	FROM dead AS d
	WHERE d.kind <> 'delivery'
)
SELECT count(*) FROM dead AS d;
