-- doctor_role: who is logged in, where, and what this role may do.
-- params:
-- result: one_row (role text, server int8, can_bypass bool, is_replica bool)
-- role: owner, worker, api
-- access: read
SELECT current_user::text, pg_catalog.current_setting('server_version_num')::int8,
       r.rolbypassrls OR r.rolsuper, pg_catalog.pg_is_in_recovery()
FROM pg_catalog.pg_roles AS r
WHERE r.rolname = current_user;
