-- deadletter_list: what failed for good: how many in all, and the newest of a topic.
-- params: limit int8, topic text
-- result: one_row (document text, events int8)
-- role: api
-- access: read
WITH counts AS (
	SELECT c.topic, pg_catalog.sum(c.events)::int8 AS events
	FROM kaireon.dead_letter_counts AS c
	WHERE c.tenant_id = kaireon.tenant_id()
	GROUP BY c.topic
	HAVING pg_catalog.sum(c.events) > 0
), total AS (
	SELECT coalesce(pg_catalog.sum(c.events), 0)::int8 AS events,
	       coalesce(pg_catalog.json_object_agg(c.topic, c.events ORDER BY c.topic), '{}') AS by_topic
	FROM counts AS c
), page AS (
	SELECT e.*
	FROM kaireon.dead_letter_events AS e
	WHERE e.tenant_id = kaireon.tenant_id() AND ($2::text IS NULL OR e.topic = $2::text)
	ORDER BY e.failed_at DESC, e.id DESC
	LIMIT $1::int8
)
SELECT pg_catalog.json_build_object(
	'totalEvents', t.events, 'byTopic', t.by_topic,
	'events', coalesce((SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
			'id', p.id, 'topic', p.topic, 'payload', p.payload, 'error', p.error,
			'retryCount', p.retry_count, 'failedAt', kaireon.time_text(p.failed_at),
			'errors', p.errors) ORDER BY p.failed_at DESC, p.id DESC) FROM page AS p), '[]'),
	'alert', CASE WHEN t.events <= 10 THEN 'OK' WHEN t.events <= 100 THEN 'WARNING'
	         ELSE 'CRITICAL' END)::text, t.events
FROM total AS t;
