-- outbox_revive: a dead delivery is due again, with attempts anew and its errors kept.
-- params: id text
-- result: zero_or_one (id text)
-- role: worker
-- access: write
UPDATE kaireon.outbox_events AS o
SET status = 'pending', run_at = pg_catalog.now(), attempts = 0
WHERE o.tenant_id = kaireon.tenant_id() AND o.id = $1::text AND o.status = 'dead'
RETURNING o.id;
