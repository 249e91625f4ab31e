-- outbox_purge: deliveries that ended long ago, some at a time.
-- params: days int8, max int8
-- result: none
-- role: worker
-- access: write
DELETE FROM kaireon.outbox_events AS o
USING (SELECT x.tenant_id, x.id FROM kaireon.outbox_events AS x
       WHERE x.status IN ('delivered', 'dead')
         AND x.created_at < pg_catalog.now() - $1::int8 * interval '1 day'
         -- one with a dead letter may yet be retried
         AND NOT EXISTS (SELECT FROM kaireon.dead_letter_events AS e
                         WHERE e.tenant_id = x.tenant_id
                           AND e.id = 'dle_' || pg_catalog.split_part(x.id, '_', 2))
       ORDER BY x.created_at
       LIMIT $2::int8
       FOR UPDATE OF x SKIP LOCKED) AS old
WHERE o.tenant_id = old.tenant_id AND o.id = old.id;
