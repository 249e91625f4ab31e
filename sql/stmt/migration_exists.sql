-- migration_exists: is there a schema at all?
-- params:
-- result: one_row (found bool)
-- role: owner
-- access: read
SELECT pg_catalog.to_regclass('kaireon.schema_migrations'::text) IS NOT NULL;
