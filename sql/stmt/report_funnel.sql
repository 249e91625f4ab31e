-- report_funnel: how many were shown, clicked, answered well and converted.
-- params: since timestamptz, until timestamptz
-- result: one_row (rows text)
-- role: api, worker
-- access: read
WITH seen AS (
	SELECT count(*) FILTER (WHERE i.interaction_type = 'impression') AS impressions,
	       count(*) FILTER (WHERE i.outcome IN ('click', 'convert')) AS clicks,
	       count(*) FILTER (WHERE coalesce(t.classification = 'positive', i.outcome IN
	           ('click', 'accept', 'convert', 'conversion', 'requested_info', 'share', 'save'))) AS positives,
	       count(*) FILTER (WHERE i.outcome IN ('convert', 'conversion')) AS converts,
	       coalesce(sum(i.conversion_value), 0) AS revenue
	FROM kaireon.interaction_history AS i
	LEFT JOIN kaireon.outcome_types AS t
	  ON t.tenant_id = i.tenant_id AND t.key = i.outcome AND t.deleted_at IS NULL
	WHERE i.tenant_id = kaireon.tenant_id()
	  AND i.created_at >= $1::timestamptz AND i.created_at < $2::timestamptz
)
SELECT pg_catalog.json_agg(pg_catalog.json_build_array(f.stage, f.nr, f.nr::float8 / nullif(s.impressions, 0)) ORDER BY f.place)::text
FROM seen AS s
CROSS JOIN LATERAL (VALUES (1, 'Impressions', s.impressions), (2, 'Positive answers', s.positives),
	(3, 'Clicks', s.clicks), (4, 'Conversions', s.converts)) AS f (place, stage, nr);
