-- session_set: what a connection of our own is given when it is made, for this
-- transaction only: behind a pooler there is no other place for it.
-- params: statement_timeout_ms int8, lock_timeout_ms int8, idle_timeout_ms int8
-- result: none
-- role: api
-- access: read
SELECT FROM pg_catalog.set_config('search_path', 'pg_catalog', true) AS path,
            pg_catalog.set_config('TimeZone', 'UTC', true) AS zone,
            pg_catalog.set_config('DateStyle', 'ISO', true) AS style,
            pg_catalog.set_config('extra_float_digits', '1', true) AS digits,
            pg_catalog.set_config('statement_timeout', $1::int8::text, true) AS statement,
            pg_catalog.set_config('lock_timeout', $2::int8::text, true) AS locks,
            pg_catalog.set_config('idle_in_transaction_session_timeout', $3::int8::text, true) AS idle;
