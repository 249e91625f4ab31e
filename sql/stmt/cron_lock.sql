-- cron_lock: one call of a job at a time; the lock dies with the session.
-- params: job text
-- result: one_row (taken bool)
-- role: worker
-- access: write
SELECT pg_catalog.pg_try_advisory_lock(pg_catalog.hashtext('kaireon.cron'), pg_catalog.hashtext($1::text));
