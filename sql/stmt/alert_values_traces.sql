-- alert_values_traces: what rules over decision traces observe, as
-- alert_values_interactions does. Without traces a rate is NULL.
-- params: now timestamptz, tenant text, rule_id text
-- result: rows (tenant_id text, rule_id text, observed float8, baseline float8)
-- role: api, worker
-- access: read
WITH rule AS MATERIALIZED (
	SELECT r.tenant_id, r.id, r.metric, r.window_minutes
	FROM kaireon.alert_rules AS r
	JOIN kaireon.tenants AS t ON t.tenant_id = r.tenant_id AND t.status = 'active'
	WHERE r.metric IN ('selection_frequency', 'degraded_scoring_rate')
	  AND CASE WHEN $3::text IS NOT NULL THEN r.tenant_id = $2::text AND r.id = $3::text
	      ELSE r.enabled AND r.tenant_id = coalesce($2::text, r.tenant_id) END
), span AS MATERIALIZED (
	SELECT r.tenant_id, max(r.window_minutes) AS minutes
	FROM rule AS r
	GROUP BY r.tenant_id
), minute AS MATERIALIZED (
	SELECT s.tenant_id, n.ago, n.traces, n.selected, n.degraded
	FROM span AS s
	CROSS JOIN LATERAL (
		SELECT floor(pg_catalog.date_part('epoch', $1::timestamptz - d.created_at) / 60) AS ago,
		       count(*) AS traces,
		       count(*) FILTER (WHERE d.result->'count' > '0'::jsonb) AS selected,
		       count(*) FILTER (WHERE d.degraded_scoring) AS degraded
		FROM kaireon.decision_traces AS d
		WHERE d.tenant_id = s.tenant_id AND d.created_at <= $1::timestamptz
		  AND d.created_at > $1::timestamptz - 2 * s.minutes * interval '1 minute'
		GROUP BY 1) AS n
), total AS MATERIALIZED (
	SELECT w.tenant_id, w.window_minutes, m.ago >= w.window_minutes AS is_before,
	       sum(m.traces)::float8 AS traces, sum(m.selected)::float8 AS selected,
	       sum(m.degraded)::float8 AS degraded
	FROM (SELECT DISTINCT r.tenant_id, r.window_minutes FROM rule AS r) AS w
	JOIN minute AS m ON m.tenant_id = w.tenant_id AND m.ago < 2 * w.window_minutes
	GROUP BY w.tenant_id, w.window_minutes, m.ago >= w.window_minutes
), value AS (
	SELECT r.tenant_id, r.id, t.is_before,
	       CASE r.metric WHEN 'selection_frequency' THEN t.selected ELSE t.degraded END
	       / nullif(t.traces, 0) AS value
	FROM rule AS r
	JOIN total AS t ON t.tenant_id = r.tenant_id AND t.window_minutes = r.window_minutes
)
SELECT r.tenant_id, r.id, c.value, b.value
FROM rule AS r
LEFT JOIN value AS c ON c.tenant_id = r.tenant_id AND c.id = r.id AND NOT c.is_before
LEFT JOIN value AS b ON b.tenant_id = r.tenant_id AND b.id = r.id AND b.is_before
ORDER BY r.tenant_id, r.id;
