-- report_revenue_trend: revenue of each day, UTC.
-- params: since timestamptz, until timestamptz
-- result: one_row (rows text)
-- role: api, worker
-- access: read
WITH seen AS (
	SELECT (i.created_at AT TIME ZONE 'UTC')::date AS day, count(*) FILTER (WHERE i.interaction_type = 'impression') AS impressions,
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
	GROUP BY 1
)
SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_array(d.day, coalesce(s.revenue, 0),
	coalesce(s.converts, 0)) ORDER BY d.day), '[]')::text
FROM (SELECT g::date AS day FROM pg_catalog.generate_series(($1::timestamptz AT TIME ZONE 'UTC')::date::timestamp,
	(($2::timestamptz - interval '1 microsecond') AT TIME ZONE 'UTC')::date::timestamp, interval '1 day') AS g) AS d
LEFT JOIN seen AS s ON s.day = d.day;
