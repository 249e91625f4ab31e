-- alert_failed: how many of these events has no receiver taken?
-- params: event_ids text[]
-- result: one_row (failed int8)
-- role: worker
-- access: read
SELECT count(*)
FROM kaireon.alert_events AS e
WHERE e.id = ANY ($1::text[])
  AND EXISTS (SELECT FROM kaireon.outbox_events AS o
              WHERE o.tenant_id = e.tenant_id AND o.source_id = e.id)
  AND NOT EXISTS (SELECT FROM kaireon.outbox_events AS o
                  WHERE o.tenant_id = e.tenant_id AND o.source_id = e.id
                    AND (o.status = 'delivered' OR o.attempts = 0 OR o.status = 'processing'));
