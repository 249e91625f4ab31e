-- migration_insert: note one migration, in its own transaction.
-- params: number int8, name text, sha256 text
-- result: none
-- role: owner
-- access: write
INSERT INTO kaireon.schema_migrations (number, name, sha256)
VALUES ($1::int8, $2::text, $3::text);
