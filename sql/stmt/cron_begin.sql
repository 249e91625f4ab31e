-- cron_begin: a call of a cron job began, or found another at work.
-- params: id text, job text, skipped bool
-- result: none
-- role: worker
-- access: write
INSERT INTO kaireon.cron_runs (id, job, skipped, finished_at, ok, complete)
SELECT $1::text, $2::text, $3::bool, pg_catalog.now(), true, false
WHERE $3::bool
UNION ALL
SELECT $1::text, $2::text, $3::bool, NULL, NULL, NULL
WHERE NOT $3::bool;
