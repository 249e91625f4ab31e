-- alert_values_latency: the 99th percentile of decisions' milliseconds in windows of
-- tenants and in the windows before them. Exact: a percentile is no sum of parts.
-- params: now timestamptz, tenants text[], minutes float8[], most float8
-- result: rows (tenant_id text, minutes float8, is_before bool, p99 float8)
-- role: api, worker
-- access: read
SELECT d.tenant_id, w.minutes,
       d.created_at <= $1::timestamptz - w.minutes * interval '1 minute',
       percentile_cont(0.99) WITHIN GROUP (ORDER BY d.total_latency_ms)
FROM unnest($2::text[], $3::float8[]) AS w (tenant_id, minutes)
JOIN kaireon.decision_traces AS d
  ON d.tenant_id = w.tenant_id COLLATE "C"
 AND d.created_at > $1::timestamptz - 2 * w.minutes * interval '1 minute'
WHERE d.created_at <= $1::timestamptz
  AND d.created_at > $1::timestamptz - $4::float8 * interval '1 minute'
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3;
