-- report_why_not_ranked: at which stage of a decision candidates were dropped.
-- params: since timestamptz, until timestamptz
-- result: one_row (rows text)
-- role: api, worker
-- access: read
WITH stage AS (
	SELECT p.value->>'stage' AS stage, p.place,
	       CASE WHEN jsonb_typeof(p.value->'candidates') = 'number' THEN (p.value->>'candidates')::float8 END AS candidates,
	       CASE WHEN jsonb_typeof(p.value->'passed') = 'number' THEN (p.value->>'passed')::float8 END AS passed
	FROM kaireon.decision_traces AS d
	CROSS JOIN LATERAL pg_catalog.jsonb_array_elements(CASE WHEN jsonb_typeof(d.pipeline) = 'array'
		THEN d.pipeline ELSE '[]' END) WITH ORDINALITY AS p (value, place)
	WHERE d.tenant_id = kaireon.tenant_id()
	  AND d.created_at >= $1::timestamptz AND d.created_at < $2::timestamptz
), seen AS (
	SELECT coalesce(s.stage, '(none)') AS stage, min(s.place) AS place, sum(s.candidates) AS candidates,
	       sum(s.passed) AS passed
	FROM stage AS s
	WHERE s.candidates IS NOT NULL AND s.passed IS NOT NULL
	GROUP BY 1
)
SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_array(s.stage, s.candidates, s.passed,
	s.candidates - s.passed, (s.candidates - s.passed) / nullif(s.candidates, 0)) ORDER BY s.place, s.stage), '[]')::text
FROM seen AS s;
