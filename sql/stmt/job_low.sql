-- job_low: the oldest job there is, from a sequence number on, NULL: none; and the number
-- that the next job will bear.
-- params: from_seq int8
-- result: one_row (low int8, next int8)
-- role: worker
-- access: read
SELECT min(f.seq), (SELECT s.last_value + s.is_called::int FROM kaireon.jobs_seq_seq AS s)
FROM kaireon.tenants AS t
CROSS JOIN LATERAL (
	SELECT j.seq FROM kaireon.jobs AS j
	WHERE j.tenant_id = t.tenant_id AND j.seq >= $1::int8
	ORDER BY j.seq
	LIMIT 1) AS f;
