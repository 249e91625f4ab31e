-- cleanup_audit: audit rows whose time is over, unless they are held.
-- params: max_rows int8
-- result: one_row (purged int8)
-- role: api
-- access: write
SELECT kaireon.audit_purge($1::int8);
