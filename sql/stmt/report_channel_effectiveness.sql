-- report_channel_effectiveness: what each channel came to.
-- params: since timestamptz, until timestamptz
-- result: one_row (rows text)
-- role: api, worker
-- access: read
WITH seen AS (
	SELECT i.channel_id AS id, count(*) FILTER (WHERE i.interaction_type = 'impression') AS impressions,
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
	GROUP BY i.channel_id
), row AS (
	SELECT coalesce(o.name, s.id, '(none)') AS name, s.*
	FROM seen AS s
	LEFT JOIN kaireon.channels AS o ON o.tenant_id = kaireon.tenant_id() AND o.id = s.id
	WHERE s.impressions > 0 OR s.positives > 0
	ORDER BY s.impressions DESC, 1
	LIMIT 50
)
SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_array(r.name, r.impressions,
	r.clicks, r.clicks::float8 / nullif(r.impressions, 0),
	r.positives, r.positives::float8 / nullif(r.impressions, 0), r.revenue)
	ORDER BY r.impressions DESC, r.name), '[]')::text
FROM row AS r;
