-- migration_lock: one migration at a time; held by the session.
-- params:
-- result: none
-- role: owner
-- access: write
SELECT FROM pg_advisory_lock(7238519246);
