-- cron_unlock: the end of cron_lock.
-- params: job text
-- result: one_row (released bool)
-- role: owner, worker
-- access: write
SELECT pg_catalog.pg_advisory_unlock(pg_catalog.hashtext('kaireon.cron'), pg_catalog.hashtext($1::text));
