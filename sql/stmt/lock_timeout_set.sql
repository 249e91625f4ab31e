-- lock_timeout_set: how long each statement of this transaction waits for a lock.
-- params: timeout_ms int8
-- result: none
-- role: worker, owner
-- access: read
SELECT FROM pg_catalog.set_config('lock_timeout'::text, $1::int8::text, true);
