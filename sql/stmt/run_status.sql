-- run_status: a run's status, held against change until this transaction ends.
-- params: id text
-- result: zero_or_one (status text, step text)
-- role: worker
-- access: write
SELECT r.status, r.step
FROM kaireon.campaign_runs AS r
WHERE r.tenant_id = kaireon.tenant_id() AND r.id = $1::text
FOR SHARE OF r;
