-- report_budget_burn: how much of its limits each offer with a budget has used in the span.
-- params: since timestamptz, until timestamptz
-- result: one_row (rows text)
-- role: api, worker
-- access: read
WITH seen AS (
	SELECT i.offer_id AS id, count(*) FILTER (WHERE i.interaction_type = 'impression')::float8 AS impressions,
	       coalesce(sum(i.conversion_value), 0) AS value
	FROM kaireon.interaction_history AS i
	WHERE i.tenant_id = kaireon.tenant_id()
	  AND i.created_at >= $1::timestamptz AND i.created_at < $2::timestamptz
	GROUP BY i.offer_id
), budget AS (
	SELECT o.id, o.name, b.key, (b.value)::text::float8 AS amount
	FROM kaireon.offers AS o
	CROSS JOIN LATERAL pg_catalog.jsonb_each(CASE WHEN jsonb_typeof(o.budget) = 'object' THEN o.budget ELSE '{}' END) AS b (key, value)
	WHERE o.tenant_id = kaireon.tenant_id() AND o.deleted_at IS NULL
	  AND jsonb_typeof(b.value) = 'number' AND (b.value)::text::float8 > 0
)
SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_array(b.name, b.key, b.amount, u.used, u.used / b.amount)
	ORDER BY u.used / b.amount DESC, b.name, b.key), '[]')::text
FROM budget AS b
LEFT JOIN seen AS s ON s.id = b.id
CROSS JOIN LATERAL (SELECT coalesce(CASE WHEN b.key ILIKE '%impression%' THEN s.impressions ELSE s.value END, 0) AS used) AS u;
