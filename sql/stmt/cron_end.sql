-- cron_end: a call of a cron job ended.
-- params: id text, ok bool, complete bool, totals jsonb
-- result: none
-- role: worker
-- access: write
UPDATE kaireon.cron_runs AS r
SET finished_at = pg_catalog.clock_timestamp(), ok = $2::bool, complete = $3::bool,
    totals = $4::jsonb
WHERE r.id = $1::text;
