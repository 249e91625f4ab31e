-- job_insert: a job of the tenant, in the transaction that needs it.
-- params: id text, topic text, kind text, payload jsonb, unique_key text, max_attempts int4
-- result: none
-- role: api, worker
-- access: write
INSERT INTO kaireon.jobs (tenant_id, id, topic, kind, payload, unique_key, max_attempts)
SELECT kaireon.tenant_id(), $1::text, $2::text, $3::text, $4::jsonb, $5::text, $6::int4;
