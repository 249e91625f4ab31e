-- timeout_set: how long each statement of this transaction may take; 0: any.
-- params: timeout_ms int8
-- result: none
-- role: worker, owner
-- access: read
SELECT FROM pg_catalog.set_config('statement_timeout'::text, $1::int8::text, true);
