-- job_retry: the attempt failed; try again after a pause. No row: it is somebody else's.
-- params: id text, fence int8, error text, pause_seconds float8
-- result: zero_or_one (id text)
-- role: worker
-- access: write
UPDATE kaireon.jobs AS j
SET seq = DEFAULT, leased_until = NULL, lease_pid = NULL, lease_start = NULL,
    run_at = pg_catalog.now() + $4::float8 * interval '1 second',
    errors = j.errors || pg_catalog.jsonb_build_object(
        'at', kaireon.time_text(pg_catalog.now()), 'attempt', j.attempts, 'error', $3::text)
WHERE j.tenant_id = kaireon.tenant_id() AND j.id = $1::text AND j.fence = $2::int8
RETURNING j.id;
