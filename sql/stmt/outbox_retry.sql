-- outbox_retry: a delivery failed; again after a pause.
-- params: id text, fence int8, error text, pause_seconds float8
-- result: zero_or_one (source_id text)
-- role: worker
-- access: write
UPDATE kaireon.outbox_events AS o
SET status = 'pending', run_at = pg_catalog.now() + $4::float8 * interval '1 second',
    leased_until = NULL, lease_pid = NULL, lease_start = NULL,
    errors = o.errors || pg_catalog.jsonb_build_object(
        'at', kaireon.time_text(pg_catalog.now()), 'attempt', o.attempts, 'error', $3::text)
WHERE o.tenant_id = kaireon.tenant_id() AND o.id = $1::text AND o.fence = $2::int8
  AND o.status = 'processing'
RETURNING o.source_id;
