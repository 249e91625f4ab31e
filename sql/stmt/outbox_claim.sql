-- outbox_claim: deliveries that are due, under a lease and new fencing numbers.
-- At most `each` of one provider are under way at a time, one while it fails, and at most
-- `tenant_max` of one tenant by this session; whose fewest are under way comes first. So one
-- that hangs keeps the others' places free. Claims at the same moment do not count each
-- other's, so a provider may get `each` of every one of them. A lease ends as a job's does.
-- params: lease_seconds int8, max int8, each int8, tenant_max int8
-- result: rows (tenant_id text, id text, topic text, unique_key text, source_id text, payload jsonb, fence int8, attempts int4, max_attempts int4, created_at text, provider_kind text, provider_name text, usable bool, config text, provider_id text)
-- role: worker
-- access: write
WITH session AS MATERIALIZED (
	SELECT a.pid, a.backend_start
	FROM pg_catalog.pg_stat_activity AS a
	WHERE a.usename = current_user
), busy AS MATERIALIZED (
	SELECT o.tenant_id, o.provider_id, count(*) AS nr,
	       count(*) FILTER (WHERE o.lease_pid = pg_catalog.pg_backend_pid()) AS own
	FROM kaireon.outbox_events AS o
	JOIN session AS s ON s.pid = o.lease_pid AND s.backend_start = o.lease_start
	WHERE o.status = 'processing' AND o.leased_until >= pg_catalog.now()
	GROUP BY o.tenant_id, o.provider_id
), ready AS MATERIALIZED (
	SELECT d.tenant_id, d.id, d.run_at,
	       coalesce(b.nr, 0) + row_number() OVER (PARTITION BY p.tenant_id, p.id ORDER BY d.run_at, d.seq) AS turn
	FROM kaireon.notification_providers AS p
	JOIN kaireon.tenants AS t ON t.tenant_id = p.tenant_id AND t.status = 'active'
	LEFT JOIN busy AS b ON b.tenant_id = p.tenant_id AND b.provider_id = p.id
	CROSS JOIN LATERAL (
		SELECT o.tenant_id, o.id, o.run_at, o.seq
		FROM kaireon.outbox_events AS o
		WHERE o.tenant_id = p.tenant_id AND o.provider_id = p.id
		  AND o.status IN ('pending', 'processing') AND o.run_at <= pg_catalog.now()
		  AND (o.status = 'pending' OR o.leased_until < pg_catalog.now() OR NOT EXISTS (
			SELECT FROM session AS s WHERE s.pid = o.lease_pid AND s.backend_start = o.lease_start))
		ORDER BY o.run_at
		LIMIT greatest(CASE WHEN EXISTS (
			SELECT FROM kaireon.outbox_events AS e
			WHERE e.tenant_id = p.tenant_id AND e.provider_id = p.id
			  AND e.status IN ('pending', 'processing') AND e.errors <> '[]')
			THEN 1 ELSE $3::int8 END - coalesce(b.nr, 0), 0)
		FOR UPDATE OF o SKIP LOCKED) AS d
	-- nothing due is the rule, and is told by one look
	WHERE EXISTS (SELECT FROM kaireon.outbox_events AS o
	              WHERE o.status IN ('pending', 'processing') AND o.run_at <= pg_catalog.now())
), due AS (
	SELECT q.tenant_id, q.id
	FROM (SELECT r.*, coalesce(o.nr, 0)
	             + row_number() OVER (PARTITION BY r.tenant_id ORDER BY r.turn, r.run_at, r.id) AS place
	      FROM ready AS r
	      LEFT JOIN (SELECT b.tenant_id, sum(b.own) AS nr FROM busy AS b GROUP BY 1) AS o
	        ON o.tenant_id = r.tenant_id) AS q
	WHERE q.place <= $4::int8
	ORDER BY q.place, q.run_at, q.id
	LIMIT $2::int8
), taken AS (
	UPDATE kaireon.outbox_events AS o
	SET status = 'processing', fence = o.fence + 1, attempts = o.attempts + 1,
	    leased_until = pg_catalog.now() + $1::int8 * interval '1 second',
	    lease_pid = pg_catalog.pg_backend_pid(),
	    lease_start = (SELECT max(s.backend_start) FROM session AS s WHERE s.pid = pg_catalog.pg_backend_pid())
	FROM due
	WHERE o.tenant_id = due.tenant_id AND o.id = due.id
	RETURNING o.*
)
SELECT o.tenant_id, o.id, o.topic, o.unique_key, o.source_id, o.payload, o.fence,
       o.attempts, o.max_attempts, kaireon.time_text(o.created_at), p.kind, p.name,
       p.enabled AND p.deleted_at IS NULL, pg_catalog.encode(p.config, 'hex'), p.id
FROM taken AS o
JOIN kaireon.notification_providers AS p ON p.tenant_id = o.tenant_id AND p.id = o.provider_id
ORDER BY o.run_at, o.seq;
