-- migration_lock: one migration at a time, until the transaction ends.
-- params:
-- result: none
-- role: owner
-- access: write
SELECT FROM pg_catalog.pg_advisory_xact_lock(7238519246::int8);
