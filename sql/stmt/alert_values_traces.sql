-- alert_values_traces: what alert rules need of the decision traces until now, as
-- alert_values_interactions does.
-- params: now timestamptz, tenant text, edges float8[]
-- result: rows (tenant_id text, age int8, traces float8, selected float8, degraded float8, nothing float8)
-- role: api, worker
-- access: read
SELECT p.tenant_id, p.age::int8, count(*)::float8,
       (count(*) FILTER (WHERE p.given > '0'::jsonb))::float8,
       (count(*) FILTER (WHERE p.degraded_scoring))::float8, 0::float8
FROM (SELECT d.tenant_id, d.degraded_scoring, d.result->'count' AS given,
             pg_catalog.width_bucket(pg_catalog.date_part('epoch', $1::timestamptz - d.created_at) / 60, $3::float8[]) AS age
      FROM kaireon.decision_traces AS d
      WHERE d.created_at <= $1::timestamptz
        AND d.created_at > $1::timestamptz - ($3::float8[])[pg_catalog.array_length($3::float8[], 1)] * interval '1 minute'
        AND ($2::text IS NULL OR d.tenant_id = $2::text)
      OFFSET '0') AS p
GROUP BY p.tenant_id, p.age
ORDER BY p.tenant_id, p.age;
