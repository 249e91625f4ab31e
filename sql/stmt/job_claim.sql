-- job_claim: the next due job of any tenant, under a lease and a new fencing token.
-- A lease ends with the database session that took it, or with its time when that
-- session is not at work; a statement that runs for an hour longer is given up.
-- params: lease_seconds int8
-- result: zero_or_one (tenant_id text, id text, topic text, kind text, payload jsonb, fence int8, attempts int4, max_attempts int4)
-- role: worker
-- access: write
WITH due AS (
	SELECT j.tenant_id, j.id
	FROM kaireon.jobs AS j
	WHERE j.run_at <= pg_catalog.now()
	  AND NOT EXISTS (
	      SELECT FROM pg_catalog.pg_stat_activity AS a
	      WHERE a.pid = j.lease_pid AND a.backend_start = j.lease_start
	        AND j.leased_until + CASE a.state WHEN 'active' THEN interval '1 hour'
	                                          ELSE interval '0' END >= pg_catalog.now())
	ORDER BY j.seq
	LIMIT 1
	FOR UPDATE SKIP LOCKED
)
UPDATE kaireon.jobs AS j
SET fence = j.fence + 1,
    attempts = j.attempts + 1,
    leased_until = pg_catalog.now() + $1::int8 * interval '1 second',
    lease_pid = pg_catalog.pg_backend_pid(),
    lease_start = (SELECT a.backend_start FROM pg_catalog.pg_stat_activity AS a
                   WHERE a.pid = pg_catalog.pg_backend_pid())
FROM due
WHERE j.tenant_id = due.tenant_id AND j.id = due.id
RETURNING j.tenant_id, j.id, j.topic, j.kind, j.payload, j.fence, j.attempts, j.max_attempts;
