-- job_bury: the job failed for good: it becomes a dead letter. One that was retried gets
-- the id again that it had as one.
-- params: id text, fence int8, error text, dead_id text
-- result: zero_or_one (id text)
-- role: worker
-- access: write
WITH dead AS (
	DELETE FROM kaireon.jobs AS j
	WHERE j.tenant_id = kaireon.tenant_id() AND j.id = $1::text AND j.fence = $2::int8
	RETURNING j.*
)
INSERT INTO kaireon.dead_letter_events
	(tenant_id, id, topic, kind, payload, error, errors, retry_count, max_attempts)
SELECT d.tenant_id, CASE WHEN d.id LIKE 'dle\_%' THEN d.id ELSE $4::text END, d.topic, d.kind,
       d.payload, $3::text,
       d.errors || pg_catalog.jsonb_build_object(
           'at', kaireon.time_text(pg_catalog.now()), 'attempt', d.attempts, 'error', $3::text),
       greatest(d.attempts, pg_catalog.jsonb_array_length(d.errors) + 1), d.max_attempts
FROM dead AS d
RETURNING id;
