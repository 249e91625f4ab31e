-- job_renew: a job's step goes on: its lease does. No row: it is somebody else's.
-- params: tenant_id text, id text, fence int8, lease_seconds int8
-- result: zero_or_one (id text)
-- role: worker
-- access: write
UPDATE kaireon.jobs AS j
SET leased_until = pg_catalog.clock_timestamp() + $4::int8 * interval '1 second'
WHERE j.tenant_id = $1::text AND j.id = $2::text AND j.fence = $3::int8
RETURNING j.id;
