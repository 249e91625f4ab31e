-- reset_some: some of what the tenant has; 0 when nothing is left. Runs leave a job that
-- removes their files.
-- params: max_rows int8, purge_job_id text
-- result: one_row (gone int8)
-- role: api
-- access: write
SELECT r.gone FROM kaireon.tenant_reset_some($1::int8, $2::text) AS r (gone);
