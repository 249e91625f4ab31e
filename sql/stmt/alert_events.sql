-- alert_events: what a rule told, newest first; no row when there is no such rule.
-- params: rule_id text, limit int8
-- result: zero_or_one (document text)
-- role: api
-- access: read
SELECT coalesce((
	SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
		'id', e.id, 'kind', e.kind, 'observed', e.observed, 'baseline', e.baseline,
		'threshold', e.threshold, 'severity', e.severity,
		'windowEnd', kaireon.time_text(e.window_end),
		'createdAt', kaireon.time_text(e.created_at),
		'deliveries', coalesce((SELECT pg_catalog.json_agg(kaireon.delivery_document(o) ORDER BY o.provider_id)
		               FROM kaireon.outbox_events AS o
		               WHERE o.tenant_id = e.tenant_id AND o.source_id = e.id), '[]'))
		ORDER BY e.created_at DESC, e.id DESC)
	FROM (SELECT x.* FROM kaireon.alert_events AS x
	      WHERE x.tenant_id = r.tenant_id AND x.rule_id = r.id
	      ORDER BY x.created_at DESC, x.id DESC LIMIT $2::int8) AS e), '[]')::text
FROM kaireon.alert_rules AS r
WHERE r.tenant_id = kaireon.tenant_id() AND r.id = $1::text;
