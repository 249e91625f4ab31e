-- alert_values_traces: what alert rules need of the decision traces until now, as
-- alert_values_interactions does. Sorted when it is few.
-- params: now timestamptz, tenant text, edges float8[]
-- result: rows (tenant_id text, age int8, traces float8, selected float8, degraded float8, nothing float8)
-- role: api, worker
-- access: read
WITH part AS MATERIALIZED (
	SELECT d.tenant_id,
	       pg_catalog.width_bucket(pg_catalog.date_part('epoch', $1::timestamptz - d.created_at) / 60, $3::float8[]) AS age,
	       count(*) AS traces,
	       count(*) FILTER (WHERE d.result->'count' > '0'::jsonb) AS selected,
	       count(*) FILTER (WHERE d.degraded_scoring) AS degraded
	FROM kaireon.decision_traces AS d
	WHERE d.created_at <= $1::timestamptz
	  AND d.created_at > $1::timestamptz - ($3::float8[])[pg_catalog.array_length($3::float8[], 1)] * interval '1 minute'
	  AND ($2::text IS NULL OR d.tenant_id = $2::text)
	GROUP BY 1, 2
)
SELECT p.tenant_id, p.age::int8, p.traces::float8, p.selected::float8, p.degraded::float8, 0::float8
FROM part AS p
ORDER BY p.tenant_id, p.age;
