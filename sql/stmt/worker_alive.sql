-- worker_alive: is there a worker to take a job?
-- One that was started for a single call may be about to end: it is not counted.
-- params:
-- result: one_row (alive bool)
-- role: worker
-- access: read
SELECT EXISTS (SELECT FROM pg_catalog.pg_stat_activity AS a
               WHERE a.usename = current_user AND a.application_name LIKE 'kaireon-worker %');
