-- reset_begin: a playground is to be emptied: its runs are cancelled first.
-- params: purge_job_id text
-- result: one_row (cancelled int8)
-- role: api
-- access: write
SELECT r.cancelled FROM kaireon.tenant_reset_begin($1::text) AS r (cancelled);
