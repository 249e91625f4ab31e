-- run_status: a run's status, as the transaction's snapshot has it. It may be changed
-- meanwhile: who plans it then cannot commit.
-- params: id text
-- result: zero_or_one (status text)
-- role: worker
-- access: read
SELECT r.status
FROM kaireon.campaign_runs AS r
WHERE r.tenant_id = kaireon.tenant_id() AND r.id = $1::text;
