-- alert_settle: a delivery of an alert's event ended an attempt: has any
-- receiver taken the event, or has none? Later events have words of their own.
-- params: event_id text
-- result: none
-- role: worker
-- access: write
UPDATE kaireon.alert_rules AS r
SET status = CASE WHEN s.has_failed THEN 'delivery_failed' ELSE 'fired' END
FROM (SELECT bool_or(o.status = 'delivered') AS is_taken,
             bool_and(o.attempts > 0 AND o.status IN ('dead', 'pending')) AS has_failed
      FROM kaireon.outbox_events AS o
      WHERE o.tenant_id = kaireon.tenant_id() AND o.source_id = $1::text) AS s
WHERE r.tenant_id = kaireon.tenant_id() AND r.last_event_id = $1::text AND r.state = 'firing'
  AND (s.has_failed AND r.status IN ('fired', 'cooldown')
       OR s.is_taken AND r.status = 'delivery_failed');
