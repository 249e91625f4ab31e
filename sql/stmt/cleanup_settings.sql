-- cleanup_settings: how long a batch waits for its locks; and that it is found by its
-- index: without knowing the cutoff the planner takes it for a handful of rows to sort,
-- and knowing the parameters it plans for all months again, five times.
-- Nobody waits for the disk after each batch: the ledger's commit at the end of the call is
-- behind all of them, and a batch that a crash takes back is purged by the next call.
-- params: timeout_ms int8
-- result: none
-- role: worker
-- access: read
SELECT FROM pg_catalog.set_config('lock_timeout'::text, $1::int8::text, true) AS lock_timeout,
            pg_catalog.set_config('enable_sort'::text, 'off'::text, true) AS enable_sort,
            pg_catalog.set_config('synchronous_commit'::text, 'off'::text, true) AS synchronous_commit,
            pg_catalog.set_config('plan_cache_mode'::text, 'force_generic_plan'::text, true) AS plan_cache_mode,
            pg_catalog.set_config('jit'::text, 'off'::text, true) AS jit;
