-- migration_unlock: the end of migration_lock.
-- params:
-- result: none
-- role: owner
-- access: write
SELECT FROM pg_advisory_unlock(7238519246);
