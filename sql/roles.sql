-- The three roles of a kaireon database; run once a cluster by a superuser:
--
--	psql -v owner_password=… -v api_password=… -v worker_password=… -f roles.sql
--
-- Without the variables the roles have no password (peer or trust). BYPASSRLS
-- of the worker is what needs a superuser: PostgreSQL refuses COPY FROM to any
-- role that row-level policies apply to, and the worker lives on COPY.

SET client_min_messages = warning;

SELECT format('CREATE ROLE %I LOGIN', r.name)
FROM (VALUES ('kaireon_owner'), ('kaireon_api'), ('kaireon_worker')) AS r (name)
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = r.name)
\gexec

ALTER ROLE kaireon_owner NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
ALTER ROLE kaireon_api NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
ALTER ROLE kaireon_worker NOSUPERUSER NOCREATEDB NOCREATEROLE BYPASSRLS;

-- A session whose client's host is gone without a word ends within half a
-- minute, and its locks with it; also one that a pooler opened. What an operator
-- wants otherwise: ALTER ROLE … SET after this file.
SELECT format('ALTER ROLE %I SET %I = %L', r.name, s.name, s.value)
FROM (VALUES ('kaireon_owner'), ('kaireon_api'), ('kaireon_worker')) AS r (name)
CROSS JOIN (VALUES ('tcp_keepalives_idle', '15s'), ('tcp_keepalives_interval', '5s'),
                   ('tcp_keepalives_count', '3'), ('tcp_user_timeout', '30s'),
                   ('client_connection_check_interval', '1s')) AS s (name, value)
\gexec

-- Statements of ours are short or are one COPY: compiling them takes longer than it saves,
-- two milliseconds of each batch of the export.
SELECT format('ALTER ROLE %I SET jit = off', r.name)
FROM (VALUES ('kaireon_owner'), ('kaireon_api'), ('kaireon_worker')) AS r (name)
\gexec

-- A worker reads a stream no faster than S3 takes what it makes of it, and the time counts
-- while its window is closed, too (tcp(7)): three tries of S3_TIMEOUT_SECONDS and their
-- pauses must fit.
ALTER ROLE kaireon_worker SET tcp_user_timeout = '4min';

-- an import copies as the worker
GRANT kaireon_worker TO kaireon_owner;

\if :{?owner_password}
ALTER ROLE kaireon_owner PASSWORD :'owner_password';
ALTER ROLE kaireon_api PASSWORD :'api_password';
ALTER ROLE kaireon_worker PASSWORD :'worker_password';
\endif
