-- run_work_mem: this transaction sorts a whole run: with more memory than a request's.
-- params:
-- result: none
-- role: worker
-- access: write
SELECT FROM pg_catalog.set_config('work_mem', '64MB', true) AS work_mem;
