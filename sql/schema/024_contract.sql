-- Which programs a migration ends. A migration that only adds (expands) ends
-- none: the version before it goes on beside the new one. One that takes away
-- (contracts) says so by kaireon.contract, and programs that are older answer
-- that they are not ready. HACKING.md has the rule.

-- Programs whose last migration is before `program` cannot work any more.
CREATE FUNCTION kaireon.contract(program bigint) RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$ SELECT set_config('kaireon.oldest_program', program::text, true) $$;
REVOKE ALL ON FUNCTION kaireon.contract(bigint) FROM PUBLIC;

-- the row of a migration is written by the transaction that the migration is
ALTER TABLE kaireon.schema_migrations
	ADD COLUMN oldest_program bigint NOT NULL
	DEFAULT coalesce(nullif(current_setting('kaireon.oldest_program', true), ''), '0')::bigint;
