-- job_by_index: this transaction finds jobs by their indexes.
-- While an old snapshot keeps what is done in the table, its statistics are far from what
-- they say, and a scan of it all is never right.
-- params:
-- result: none
-- role: worker
-- access: write
SELECT FROM pg_catalog.set_config('enable_seqscan', 'off', true) AS scan,
            pg_catalog.set_config('enable_hashjoin', 'off', true) AS hash,
            pg_catalog.set_config('enable_mergejoin', 'off', true) AS merge;
