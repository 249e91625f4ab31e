-- job_notify: wake the workers when this transaction commits.
-- params:
-- result: none
-- role: api, worker
-- access: write
SELECT FROM pg_catalog.pg_notify('kaireon_jobs', '');
