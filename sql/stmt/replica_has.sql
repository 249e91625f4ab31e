-- replica_has: is this a replica of that cluster, and has it replayed what that
-- had written?
-- params: cluster text, written text
-- result: one_row (is_replica bool, has bool)
-- role: owner, worker
-- access: read
SELECT pg_catalog.pg_is_in_recovery() AND c.system_identifier::text = $1::text,
       coalesce(pg_catalog.pg_last_wal_replay_lsn() >= $2::text::pg_lsn, false)
FROM pg_catalog.pg_control_system() AS c;
