-- cron_lock: one call of a job at a time; the lock is the session's and dies with it.
-- Taken once however often it is asked for.
-- params: job text
-- result: one_row (taken bool)
-- role: owner, worker
-- access: write
SELECT CASE WHEN EXISTS (
	SELECT FROM pg_catalog.pg_locks AS l
	WHERE l.locktype = 'advisory' AND l.pid = pg_catalog.pg_backend_pid() AND l.objsubid = 2
	  AND l.classid = (pg_catalog.hashtext('kaireon.cron')::bigint & 4294967295)::oid
	  AND l.objid = (pg_catalog.hashtext($1::text)::bigint & 4294967295)::oid)
THEN true
ELSE pg_catalog.pg_try_advisory_lock(pg_catalog.hashtext('kaireon.cron'), pg_catalog.hashtext($1::text)) END;
