-- cron_lock: one call of a job at a time; the lock is the session's and dies with it.
-- Taken once however often it is asked for; kept: the session had it before.
-- params: job text
-- result: one_row (taken bool, kept bool)
-- role: owner, worker
-- access: write
SELECT CASE WHEN h.kept THEN true
       ELSE pg_catalog.pg_try_advisory_lock(pg_catalog.hashtext('kaireon.cron'), pg_catalog.hashtext($1::text)) END,
       h.kept
FROM (SELECT EXISTS (
	SELECT FROM pg_catalog.pg_locks AS l
	WHERE l.locktype = 'advisory' AND l.pid = pg_catalog.pg_backend_pid() AND l.objsubid = 2
	  AND l.classid = (pg_catalog.hashtext('kaireon.cron')::bigint & 4294967295)::oid
	  AND l.objid = (pg_catalog.hashtext($1::text)::bigint & 4294967295)::oid) AS kept
      OFFSET 0) AS h;
