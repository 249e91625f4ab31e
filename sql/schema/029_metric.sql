-- The API's summary of metrics tells of cron jobs too; they are no tenant's.

GRANT SELECT ON kaireon.cron_jobs TO kaireon_api;
