-- deadletter_lock: one at a time moves the tenant's dead letters.
-- params:
-- result: none
-- role: api
-- access: write
SELECT FROM pg_catalog.pg_advisory_xact_lock(
	pg_catalog.hashtext('kaireon.dead_letter_events'), pg_catalog.hashtext(kaireon.tenant_id()));
