-- job_complete: the job is done, in the transaction of its effect.
-- params: id text, fence int8
-- result: zero_or_one (id text)
-- role: worker
-- access: write
-- No row: somebody else has taken the job over, and this transaction must not commit.
DELETE FROM kaireon.jobs AS j
WHERE j.tenant_id = kaireon.tenant_id() AND j.id = $1::text AND j.fence = $2::int8
RETURNING j.id;
