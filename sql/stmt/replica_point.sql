-- replica_point: what this cluster, a primary, has written so far.
-- params:
-- result: one_row (cluster text, written text)
-- role: owner, worker
-- access: read
SELECT c.system_identifier::text, pg_catalog.pg_current_wal_lsn()::text
FROM pg_catalog.pg_control_system() AS c;
