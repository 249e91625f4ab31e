-- alert_by_hash: the rest of the transaction aggregates by hashing. The planner cannot
-- know that ages are few: it expects a group a row, which would be sorted on disk; nor,
-- in a plan that is kept for all parameters, how many rows a window has.
-- params:
-- result: none
-- role: api, worker
-- access: read
SELECT FROM pg_catalog.set_config('work_mem', '256MB', true) AS memory,
            pg_catalog.set_config('jit', 'off', true) AS jit,
            pg_catalog.set_config('plan_cache_mode', 'force_custom_plan', true) AS plan;
