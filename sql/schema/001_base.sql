-- The schema, its migrations, and the functions that every statement uses.

CREATE SCHEMA kaireon;
REVOKE ALL ON SCHEMA kaireon FROM PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA kaireon REVOKE ALL ON TABLES FROM PUBLIC;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

CREATE TABLE kaireon.schema_migrations (
	number     bigint NOT NULL PRIMARY KEY,
	name       text NOT NULL,
	sha256     text NOT NULL,
	applied_at timestamptz NOT NULL DEFAULT now()
);

-- The tenant of this transaction; NULL: none, and nothing is seen.
CREATE FUNCTION kaireon.tenant_id() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('kaireon.tenant_id', true), '');

-- Set it, until the transaction ends. The API role may not: it authenticates.
CREATE FUNCTION kaireon.tenant_set(tenant_id text) RETURNS void
LANGUAGE sql
AS $$ SELECT set_config('kaireon.tenant_id', tenant_id, true) $$;

-- Values for COPY, which takes no parameters.
CREATE FUNCTION kaireon.argument_set(name text, value text) RETURNS void
LANGUAGE sql
AS $$ SELECT set_config('kaireon.arg_' || name, coalesce(value, ''), true) $$;

CREATE FUNCTION kaireon.argument(name text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('kaireon.arg_' || name, true), '');

-- The time part of an id: 10 characters of milliseconds in Crockford's base 32.
CREATE FUNCTION kaireon.id_time(at timestamptz) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT string_agg(substr('0123456789abcdefghjkmnpqrstvwxyz',
		(floor(extract(epoch FROM at) * 1000)::bigint >> (45 - 5 * i) & 31)::int + 1, 1),
		'' ORDER BY i)
	FROM generate_series(0, 9) AS i
$$;

-- An id that depends on nothing but its arguments, so that a step that is
-- repeated makes the same rows. Hex digits are a part of base 32's.
CREATE FUNCTION kaireon.id_derive(prefix text, time_part text, seed text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN prefix || '_' || time_part || substr(md5(seed), 1, 16);

-- Times as answers show them: UTC, milliseconds, truncated.
CREATE FUNCTION kaireon.time_text(at timestamptz) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN to_char(date_trunc('milliseconds', at AT TIME ZONE 'UTC'),
               'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');
