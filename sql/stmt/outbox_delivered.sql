-- outbox_delivered: a delivery was taken by its receiver. That it was stays; what it
-- said, links among it, is needed no more.
-- params: id text, fence int8
-- result: zero_or_one (source_id text)
-- role: worker
-- access: write
UPDATE kaireon.outbox_events AS o
SET status = 'delivered', delivered_at = pg_catalog.now(), payload = '{}',
    leased_until = NULL, lease_pid = NULL, lease_start = NULL
WHERE o.tenant_id = kaireon.tenant_id() AND o.id = $1::text AND o.fence = $2::int8
  AND o.status = 'processing'
RETURNING o.source_id;
