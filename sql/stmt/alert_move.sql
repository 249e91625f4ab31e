-- alert_move: rules of a tenant change their state, by what the evaluation saw: a rule
-- whose state another tick or a client has changed since stays as it is. A change that
-- is told leaves its event and its deliveries in the same statement. `moves`:
-- [{"ruleId", "was", "transition", "state", "status", "kind"?, "eventId"?, "observed"?,
-- "baseline"?, "threshold"?, "severity"?, "message"?}]
-- params: moves jsonb, now timestamptz
-- result: rows (rule_id text, kind text, event_id text, deliveries int8)
-- role: worker
-- access: write
WITH move AS (
	SELECT m.*
	FROM pg_catalog.jsonb_to_recordset($1::jsonb) AS m ("ruleId" text, "was" text, "transition" int8,
		"state" text, "status" text, "kind" text, "eventId" text, "observed" float8,
		"baseline" float8, "threshold" float8, "severity" text, "message" jsonb)
), moved AS (
	UPDATE kaireon.alert_rules AS r
	SET state = m."state", status = m."status",
	    state_since = CASE WHEN r.state <> m."state" THEN $2::timestamptz ELSE r.state_since END,
	    transition = r.transition + CASE WHEN m."kind" IS NULL THEN 0 ELSE 1 END,
	    last_event_id = coalesce(m."eventId", r.last_event_id),
	    last_fired_at = CASE m."kind" WHEN 'fired' THEN $2::timestamptz ELSE r.last_fired_at END
	FROM move AS m
	WHERE r.tenant_id = kaireon.tenant_id() AND r.id = m."ruleId" AND r.enabled
	  AND r.state = m."was" AND r.transition = m."transition"
	RETURNING r.tenant_id, r.id, r.name, r.channels, m.*
), event AS (
	INSERT INTO kaireon.alert_events (tenant_id, id, rule_id, transition, kind, observed,
		baseline, threshold, severity, window_end)
	SELECT m.tenant_id, m."eventId", m.id, m."transition", m."kind", m."observed",
	       m."baseline", m."threshold", m."severity", $2::timestamptz
	FROM moved AS m
	WHERE m."kind" IS NOT NULL
), delivery AS (
	INSERT INTO kaireon.outbox_events (tenant_id, id, provider_id, topic, unique_key, source_id, payload)
	SELECT m.tenant_id, kaireon.id_derive('obx', pg_catalog.substr(m."eventId", 5, 10), m."eventId" || ':' || c.id),
	       c.id, 'alert_deliveries', m.id || ':' || m."kind" || ':' || m."transition" || ':' || c.id,
	       m."eventId", m."message"
	FROM moved AS m
	CROSS JOIN LATERAL (SELECT DISTINCT x.id FROM pg_catalog.jsonb_array_elements_text(m.channels) AS x (id)) AS c
	JOIN kaireon.notification_providers AS p ON p.tenant_id = m.tenant_id AND p.id = c.id
	WHERE m."kind" IS NOT NULL
	RETURNING source_id
)
SELECT m.id, m."kind", m."eventId", (SELECT count(*) FROM delivery AS d WHERE d.source_id = m."eventId")
FROM moved AS m
ORDER BY m.id;
