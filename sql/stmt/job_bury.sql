-- job_bury: the job failed for good: it becomes a dead letter.
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
	(tenant_id, id, topic, kind, payload, error, errors, retry_count)
SELECT d.tenant_id, $4::text, d.topic, d.kind, d.payload, $3::text,
       d.errors || pg_catalog.jsonb_build_object(
           'at', kaireon.time_text(pg_catalog.now()), 'attempt', d.attempts, 'error', $3::text),
       d.attempts
FROM dead AS d
RETURNING id;
