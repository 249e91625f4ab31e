-- migration_list: what was applied, in order.
-- params:
-- result: rows (number int8, name text, sha256 text)
-- role: owner
-- access: read
SELECT m.number, m.name, m.sha256
FROM kaireon.schema_migrations AS m
ORDER BY m.number;
