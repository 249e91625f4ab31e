-- alert_values_interactions: what alert rules need of the interactions until now, by how
-- long ago they were: age n lies between the n-th edge (minutes, ascending) and the next.
-- One pass for all rules of all tenants, or of one.
-- params: now timestamptz, tenant text, edges float8[]
-- result: rows (tenant_id text, age int8, impressions float8, positives float8, clicks float8, value float8)
-- role: api, worker
-- access: read
WITH part AS (
	SELECT i.tenant_id,
	       pg_catalog.width_bucket(pg_catalog.date_part('epoch', $1::timestamptz - i.created_at) / 60, $3::float8[]) AS age,
	       i.interaction_type = 'impression' AS is_impression, i.outcome,
	       count(*) AS nr, sum(i.conversion_value) AS value
	FROM kaireon.interaction_history AS i
	WHERE i.created_at <= $1::timestamptz
	  AND i.created_at > $1::timestamptz - ($3::float8[])[pg_catalog.array_length($3::float8[], 1)] * interval '1 minute'
	  AND ($2::text IS NULL OR i.tenant_id = $2::text)
	GROUP BY 1, 2, 3, 4
)
SELECT p.tenant_id, p.age::int8,
       coalesce(sum(p.nr) FILTER (WHERE p.is_impression), 0)::float8,
       coalesce(sum(p.nr) FILTER (WHERE coalesce(o.classification = 'positive', p.outcome IN
           ('click', 'accept', 'convert', 'conversion', 'requested_info', 'share', 'save'))), 0)::float8,
       coalesce(sum(p.nr) FILTER (WHERE p.outcome IN ('click', 'convert')), 0)::float8,
       coalesce(sum(p.value), 0)
FROM part AS p
LEFT JOIN kaireon.outcome_types AS o
  ON o.tenant_id = p.tenant_id AND o.key = p.outcome AND o.deleted_at IS NULL
GROUP BY p.tenant_id, p.age
ORDER BY p.tenant_id, p.age;
