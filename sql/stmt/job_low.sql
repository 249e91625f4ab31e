-- job_low: the oldest job there is, from a sequence number on; NULL: none.
-- params: from_seq int8
-- result: one_row (low int8)
-- role: worker
-- access: read
SELECT min(f.seq)
FROM kaireon.tenants AS t
CROSS JOIN LATERAL (
	SELECT j.seq FROM kaireon.jobs AS j
	WHERE j.tenant_id = t.tenant_id AND j.seq >= $1::int8
	ORDER BY j.seq
	LIMIT 1) AS f;
