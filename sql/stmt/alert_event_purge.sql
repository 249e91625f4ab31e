-- alert_event_purge: the oldest of what alert rules told, but of tenants with a hold, and
-- but the last of each rule.
-- params: days int8, batch int8
-- result: none
-- role: worker
-- access: write
DELETE FROM kaireon.alert_events AS e
USING (SELECT x.tenant_id, x.id
       FROM kaireon.alert_events AS x
       JOIN kaireon.tenants AS t ON t.tenant_id = x.tenant_id AND NOT t.legal_hold
       JOIN kaireon.alert_rules AS r ON r.tenant_id = x.tenant_id AND r.id = x.rule_id
       WHERE x.created_at < pg_catalog.now() - $1::int8 * interval '1 day'
         AND x.id IS DISTINCT FROM r.last_event_id
       ORDER BY x.created_at
       LIMIT $2::int8
       FOR SHARE OF t) AS old
WHERE e.tenant_id = old.tenant_id AND e.id = old.id;
