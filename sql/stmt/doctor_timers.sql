-- doctor_timers: how long ago each cron job last ended well; NULL: never.
-- params:
-- result: rows (job text, seconds int8)
-- role: owner
-- access: read
SELECT j.job, extract(epoch FROM pg_catalog.now() - j.last_success_at)::int8
FROM kaireon.cron_jobs AS j
ORDER BY j.job;
