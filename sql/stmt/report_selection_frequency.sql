-- report_selection_frequency: how often each offer was given, and its share of all.
-- params: since timestamptz, until timestamptz
-- result: one_row (rows text)
-- role: api, worker
-- access: read
WITH seen AS (
	SELECT i.offer_id AS id, count(*) AS nr
	FROM kaireon.interaction_history AS i
	WHERE i.tenant_id = kaireon.tenant_id() AND i.interaction_type IN ('impression', 'recommendation')
	  AND i.created_at >= $1::timestamptz AND i.created_at < $2::timestamptz
	GROUP BY i.offer_id
), row AS (
	SELECT coalesce(o.name, s.id, '(none)') AS name, s.nr, s.nr / sum(s.nr) OVER ()::float8 AS share
	FROM seen AS s
	LEFT JOIN kaireon.offers AS o ON o.tenant_id = kaireon.tenant_id() AND o.id = s.id
	ORDER BY s.nr DESC, 1
	LIMIT 50
)
SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_array(r.name, r.nr, r.share)
	ORDER BY r.nr DESC, r.name), '[]')::text
FROM row AS r;
