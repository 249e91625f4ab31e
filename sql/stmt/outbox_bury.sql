-- outbox_bury: a delivery failed for good: it becomes a dead letter. Its row
-- stays, as the record that its fact was told of or not. The letter's id is made of the
-- delivery's, so one that is retried and fails again has it again.
-- params: id text, fence int8, error text
-- result: zero_or_one (source_id text)
-- role: worker
-- access: write
WITH dead AS (
	UPDATE kaireon.outbox_events AS o
	SET status = 'dead', leased_until = NULL, lease_pid = NULL, lease_start = NULL,
	    errors = o.errors || pg_catalog.jsonb_build_object(
	        'at', kaireon.time_text(pg_catalog.now()), 'attempt', o.attempts, 'error', $3::text)
	WHERE o.tenant_id = kaireon.tenant_id() AND o.id = $1::text AND o.fence = $2::int8
	  AND o.status = 'processing'
	RETURNING o.*
), letter AS (
	INSERT INTO kaireon.dead_letter_events
		(tenant_id, id, topic, kind, payload, error, errors, retry_count)
	SELECT d.tenant_id, 'dle_' || pg_catalog.split_part(d.id, '_', 2), d.topic, 'delivery',
	       pg_catalog.jsonb_build_object('outboxId', d.id, 'providerId', d.provider_id,
	           'sourceId', d.source_id, 'message', d.payload),
	       $3::text, d.errors, greatest(d.attempts, pg_catalog.jsonb_array_length(d.errors))
	FROM dead AS d
)
SELECT d.source_id FROM dead AS d;
