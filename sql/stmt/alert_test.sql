-- alert_test: a test of a rule: its event and a delivery to each of its channels.
-- params: rule_id text, event_id text, observed float8, baseline float8, severity text, message jsonb, now timestamptz
-- result: rows (delivery text)
-- role: api
-- access: write
WITH event AS (
	INSERT INTO kaireon.alert_events (tenant_id, id, rule_id, transition, kind, observed,
		baseline, threshold, severity, window_end)
	SELECT r.tenant_id, $2::text, r.id,
	       -- any number that is its own
	       pg_catalog.hashtextextended($2::text, 0),
	       'test', $3::float8, $4::float8, r.threshold, $5::text, $7::timestamptz
	FROM kaireon.alert_rules AS r
	WHERE r.tenant_id = kaireon.tenant_id() AND r.id = $1::text
	RETURNING tenant_id
)
INSERT INTO kaireon.outbox_events AS o (tenant_id, id, provider_id, topic, unique_key, source_id, payload)
SELECT r.tenant_id, kaireon.id_derive('obx', pg_catalog.substr($2::text, 5, 10), $2::text || ':' || p.id),
       p.id, 'alert_deliveries', $2::text || ':' || p.id, $2::text, $6::jsonb
FROM kaireon.alert_rules AS r
JOIN event ON true
CROSS JOIN LATERAL (SELECT DISTINCT x.id FROM pg_catalog.jsonb_array_elements_text(r.channels) AS x (id)) AS c
JOIN kaireon.notification_providers AS p ON p.tenant_id = r.tenant_id AND p.id = c.id
WHERE r.tenant_id = kaireon.tenant_id() AND r.id = $1::text
ORDER BY p.id
RETURNING kaireon.delivery_document(o)::text;
