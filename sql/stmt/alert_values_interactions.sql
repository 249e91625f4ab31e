-- alert_values_interactions: what rules over interactions observe in their window and
-- in the one before it: those that are enabled, of all active tenants or of one; or one
-- rule, when it is named.
-- One pass over the interactions, by minutes before now; a window is a sum of minutes.
-- Without impressions a rate is NULL.
-- params: now timestamptz, tenant text, rule_id text
-- result: rows (tenant_id text, rule_id text, observed float8, baseline float8)
-- role: api, worker
-- access: read
WITH rule AS MATERIALIZED (
	SELECT r.tenant_id, r.id, r.metric, r.window_minutes
	FROM kaireon.alert_rules AS r
	JOIN kaireon.tenants AS t ON t.tenant_id = r.tenant_id AND t.status = 'active'
	WHERE r.metric IN ('acceptance_rate', 'ctr', 'revenue')
	  AND CASE WHEN $3::text IS NOT NULL THEN r.tenant_id = $2::text AND r.id = $3::text
	      ELSE r.enabled AND r.tenant_id = coalesce($2::text, r.tenant_id) END
), span AS MATERIALIZED (
	SELECT r.tenant_id, max(r.window_minutes) AS minutes
	FROM rule AS r
	GROUP BY r.tenant_id
), minute AS MATERIALIZED (
	SELECT g.tenant_id, g.ago,
	       sum(g.nr) FILTER (WHERE g.is_impression) AS impressions,
	       sum(g.nr) FILTER (WHERE coalesce(o.classification = 'positive', g.outcome IN
	           ('click', 'accept', 'convert', 'conversion', 'requested_info', 'share', 'save'))) AS positives,
	       sum(g.nr) FILTER (WHERE g.outcome IN ('click', 'convert')) AS clicks,
	       sum(g.value) AS value
	FROM (SELECT s.tenant_id, n.ago, n.is_impression, n.outcome, n.nr, n.value
	      FROM span AS s
	      CROSS JOIN LATERAL (
		SELECT floor(pg_catalog.date_part('epoch', $1::timestamptz - i.created_at) / 60) AS ago,
		       i.interaction_type = 'impression' AS is_impression, i.outcome,
		       count(*) AS nr, sum(i.conversion_value) AS value
		FROM kaireon.interaction_history AS i
		WHERE i.tenant_id = s.tenant_id AND i.created_at <= $1::timestamptz
		  AND i.created_at > $1::timestamptz - 2 * s.minutes * interval '1 minute'
		GROUP BY 1, 2, 3) AS n) AS g
	LEFT JOIN kaireon.outcome_types AS o
	  ON o.tenant_id = g.tenant_id AND o.key = g.outcome AND o.deleted_at IS NULL
	GROUP BY g.tenant_id, g.ago
), total AS MATERIALIZED (
	SELECT w.tenant_id, w.window_minutes, m.ago >= w.window_minutes AS is_before,
	       sum(m.impressions)::float8 AS impressions, sum(m.positives)::float8 AS positives,
	       sum(m.clicks)::float8 AS clicks, sum(m.value) AS value
	FROM (SELECT DISTINCT r.tenant_id, r.window_minutes FROM rule AS r) AS w
	JOIN minute AS m ON m.tenant_id = w.tenant_id AND m.ago < 2 * w.window_minutes
	GROUP BY w.tenant_id, w.window_minutes, m.ago >= w.window_minutes
), value AS (
	SELECT r.tenant_id, r.id, t.is_before,
	       CASE r.metric
	       WHEN 'revenue' THEN coalesce(t.value, 0)
	       WHEN 'ctr' THEN coalesce(t.clicks, 0) / nullif(t.impressions, 0)
	       ELSE coalesce(t.positives, 0) / nullif(t.impressions, 0) END AS value
	FROM rule AS r
	JOIN total AS t ON t.tenant_id = r.tenant_id AND t.window_minutes = r.window_minutes
)
SELECT r.tenant_id, r.id,
       CASE r.metric WHEN 'revenue' THEN coalesce(c.value, 0) ELSE c.value END,
       CASE r.metric WHEN 'revenue' THEN coalesce(b.value, 0) ELSE b.value END
FROM rule AS r
LEFT JOIN value AS c ON c.tenant_id = r.tenant_id AND c.id = r.id AND NOT c.is_before
LEFT JOIN value AS b ON b.tenant_id = r.tenant_id AND b.id = r.id AND b.is_before
ORDER BY r.tenant_id, r.id;
