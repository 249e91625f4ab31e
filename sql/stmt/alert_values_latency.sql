-- alert_values_latency: the 99th percentile of decisions' milliseconds, as
-- alert_values_interactions does; exact, so each window is read for itself.
-- params: now timestamptz, tenant text, rule_id text
-- result: rows (tenant_id text, rule_id text, observed float8, baseline float8)
-- role: api, worker
-- access: read
WITH rule AS MATERIALIZED (
	SELECT r.tenant_id, r.id, r.window_minutes
	FROM kaireon.alert_rules AS r
	JOIN kaireon.tenants AS t ON t.tenant_id = r.tenant_id AND t.status = 'active'
	WHERE r.metric = 'latency_p99'
	  AND CASE WHEN $3::text IS NOT NULL THEN r.tenant_id = $2::text AND r.id = $3::text
	      ELSE r.enabled AND r.tenant_id = coalesce($2::text, r.tenant_id) END
), total AS MATERIALIZED (
	SELECT w.tenant_id, w.window_minutes, n.observed, n.baseline
	FROM (SELECT DISTINCT r.tenant_id, r.window_minutes FROM rule AS r) AS w
	CROSS JOIN LATERAL (
		SELECT percentile_cont(0.99) WITHIN GROUP (ORDER BY d.total_latency_ms) FILTER (
		           WHERE d.created_at > $1::timestamptz - w.window_minutes * interval '1 minute') AS observed,
		       percentile_cont(0.99) WITHIN GROUP (ORDER BY d.total_latency_ms) FILTER (
		           WHERE d.created_at <= $1::timestamptz - w.window_minutes * interval '1 minute') AS baseline
		FROM kaireon.decision_traces AS d
		WHERE d.tenant_id = w.tenant_id AND d.created_at <= $1::timestamptz
		  AND d.created_at > $1::timestamptz - 2 * w.window_minutes * interval '1 minute') AS n
)
SELECT r.tenant_id, r.id, t.observed, t.baseline
FROM rule AS r
LEFT JOIN total AS t ON t.tenant_id = r.tenant_id AND t.window_minutes = r.window_minutes
ORDER BY r.tenant_id, r.id;
