-- report_decision_traces_summary: decisions of each flow: how many gave something, how long they took.
-- params: since timestamptz, until timestamptz
-- result: one_row (rows text)
-- role: api, worker
-- access: read
WITH seen AS (
	SELECT coalesce(d.decision_flow_key, '(none)') AS flow, count(*) AS traces,
	       count(*) FILTER (WHERE d.result->'count' > '0'::jsonb) AS selected,
	       count(*) FILTER (WHERE d.degraded_scoring) AS degraded,
	       percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY d.total_latency_ms) AS ms
	FROM kaireon.decision_traces AS d
	WHERE d.tenant_id = kaireon.tenant_id()
	  AND d.created_at >= $1::timestamptz AND d.created_at < $2::timestamptz
	GROUP BY 1
)
SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_array(s.flow, s.traces, s.selected::float8 / s.traces,
	s.degraded::float8 / s.traces, s.ms[1], s.ms[2], s.ms[3]) ORDER BY s.traces DESC, s.flow), '[]')::text
FROM seen AS s;
