-- outbox_postpone: a delivery was claimed and not tried: it is due again, and has its
-- attempt back.
-- params: id text, fence int8
-- result: zero_or_one (source_id text)
-- role: worker
-- access: write
UPDATE kaireon.outbox_events AS o
SET status = 'pending', attempts = o.attempts - 1,
    run_at = pg_catalog.now() + interval '1 second',
    leased_until = NULL, lease_pid = NULL, lease_start = NULL
WHERE o.tenant_id = kaireon.tenant_id() AND o.id = $1::text AND o.fence = $2::int8
  AND o.status = 'processing'
RETURNING o.source_id;
