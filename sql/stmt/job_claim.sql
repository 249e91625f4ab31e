-- job_claim: the next due jobs, under a lease and new fencing tokens.
-- Tenants take turns, from the one behind `after` on, each in the order of its jobs: one
-- with a million jobs does not keep the others waiting. A lease ends with its time, which
-- a step that lives renews, or with the database session that took it. `low` is below
-- every job that may be due: the scan begins behind what vacuum cannot remove while an
-- old snapshot is open.
-- Nothing here depends on how many jobs the planner believes in: while an old snapshot is
-- open it may believe in none of many. LIMIT keeps a look at a tenant's first job what it
-- is, and the rows that were locked are written by their place.
-- params: lease_seconds int8, max int8, low int8, after text
-- result: rows (tenant_id text, id text, topic text, kind text, payload jsonb, fence int8, attempts int4, max_attempts int4, seq int8, tenants int8, place text)
-- role: worker
-- access: write
WITH session AS MATERIALIZED (
	SELECT a.pid, a.backend_start
	FROM pg_catalog.pg_stat_activity AS a
	WHERE a.usename = current_user
), waiting AS (
	SELECT t.tenant_id
	FROM kaireon.tenants AS t
	CROSS JOIN LATERAL (
		SELECT j.seq
		FROM kaireon.jobs AS j
		WHERE j.tenant_id = t.tenant_id AND j.seq >= $3::int8 AND j.run_at <= pg_catalog.now()
		  AND (j.leased_until IS NULL OR j.leased_until < pg_catalog.now() OR NOT EXISTS (
			SELECT FROM session AS s
			WHERE s.pid = j.lease_pid AND s.backend_start = j.lease_start))
		ORDER BY j.seq
		LIMIT 1) AS f
), turn AS MATERIALIZED (
	-- some more than are wanted: another worker may be at the first of them
	(SELECT w.tenant_id FROM waiting AS w WHERE w.tenant_id > $4::text
	 ORDER BY w.tenant_id LIMIT $2::int8 + 3)
	UNION ALL
	(SELECT w.tenant_id FROM waiting AS w WHERE w.tenant_id <= $4::text
	 ORDER BY w.tenant_id LIMIT $2::int8 + 3)
), due AS (
	SELECT n.place
	FROM (SELECT d.tenant_id, d.place, row_number() OVER (PARTITION BY d.tenant_id ORDER BY d.seq) AS nth
	      FROM turn AS t
	      CROSS JOIN LATERAL (
		SELECT j.tenant_id, j.ctid AS place, j.seq
		FROM kaireon.jobs AS j
		WHERE j.tenant_id = t.tenant_id AND j.seq >= $3::int8 AND j.run_at <= pg_catalog.now()
		  AND (j.leased_until IS NULL OR j.leased_until < pg_catalog.now() OR NOT EXISTS (
			SELECT FROM session AS s
			WHERE s.pid = j.lease_pid AND s.backend_start = j.lease_start))
		ORDER BY j.seq
		LIMIT ($2::int8 + (SELECT count(*) FROM turn) - 1) / (SELECT count(*) FROM turn)
		FOR UPDATE OF j SKIP LOCKED) AS d) AS n
	ORDER BY n.nth, n.tenant_id <= $4::text, n.tenant_id
	LIMIT $2::int8
)
UPDATE kaireon.jobs AS j
SET fence = j.fence + 1,
    attempts = j.attempts + 1,
    leased_until = pg_catalog.now() + $1::int8 * interval '1 second',
    lease_pid = pg_catalog.pg_backend_pid(),
    -- a process id may be seen twice while a backend of it ends and another begins
    lease_start = (SELECT max(s.backend_start) FROM session AS s WHERE s.pid = pg_catalog.pg_backend_pid())
FROM due
WHERE j.ctid = due.place
RETURNING j.tenant_id, j.id, j.topic, j.kind, j.payload, j.fence, j.attempts, j.max_attempts, j.seq,
          (SELECT count(*) FROM turn), j.ctid::text;
