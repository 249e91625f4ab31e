-- cron_begin: a call of a cron job began.
-- params: id text, job text
-- result: none
-- role: worker
-- access: write
INSERT INTO kaireon.cron_runs (id, job)
VALUES ($1::text, $2::text);
