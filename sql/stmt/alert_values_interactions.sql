-- alert_values_interactions: what alert rules need of the interactions until now, by how
-- long ago they were: age n lies between the n-th edge (minutes, ascending) and the next.
-- One pass for all rules of all tenants, or of one. The rows are a query of their own
-- (OFFSET), so that the planner expects few ages and has parallel workers add up; a
-- number there would not be a constant yet when that is decided.
-- params: now timestamptz, tenant text, edges float8[]
-- result: rows (tenant_id text, age int8, impressions float8, positives float8, clicks float8, value float8)
-- role: api, worker
-- access: read
SELECT p.tenant_id, p.age::int8,
       (count(*) FILTER (WHERE p.interaction_type = 'impression'))::float8,
       (count(*) FILTER (WHERE coalesce(p.classification = 'positive', p.outcome IN
           ('click', 'accept', 'convert', 'conversion', 'requested_info', 'share', 'save'))))::float8,
       (count(*) FILTER (WHERE p.outcome IN ('click', 'convert')))::float8,
       coalesce(sum(p.value), 0)
FROM (SELECT i.tenant_id, i.interaction_type, i.outcome, i.conversion_value AS value, o.classification,
             pg_catalog.width_bucket(pg_catalog.date_part('epoch', $1::timestamptz - i.created_at) / 60, $3::float8[]) AS age
      FROM kaireon.interaction_history AS i
      LEFT JOIN kaireon.outcome_types AS o
        ON o.tenant_id = i.tenant_id AND o.key = i.outcome AND o.deleted_at IS NULL
      WHERE i.created_at <= $1::timestamptz
        AND i.created_at > $1::timestamptz - ($3::float8[])[pg_catalog.array_length($3::float8[], 1)] * interval '1 minute'
        AND ($2::text IS NULL OR i.tenant_id = $2::text)
      OFFSET '0') AS p
GROUP BY p.tenant_id, p.age
ORDER BY p.tenant_id, p.age;
