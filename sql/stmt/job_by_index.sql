-- job_by_index: this transaction finds jobs by their indexes, each by the one that has them
-- in the order that is asked for.
-- While an old snapshot keeps what is done in the table, its statistics are far from what
-- they say: a scan of it all is never right, nor is one of all that a tenant has had.
-- params:
-- result: none
-- role: worker
-- access: write
SELECT FROM pg_catalog.set_config('enable_seqscan', 'off', true) AS scan,
            pg_catalog.set_config('enable_bitmapscan', 'off', true) AS bitmap,
            pg_catalog.set_config('enable_sort', 'off', true) AS sort,
            pg_catalog.set_config('enable_hashjoin', 'off', true) AS hash,
            pg_catalog.set_config('enable_mergejoin', 'off', true) AS merge;
