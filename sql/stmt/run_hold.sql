-- run_hold: a run's status, which nobody changes until this transaction ends.
-- params: id text
-- result: zero_or_one (status text)
-- role: worker
-- access: write
SELECT r.status
FROM kaireon.campaign_runs AS r
WHERE r.tenant_id = kaireon.tenant_id() AND r.id = $1::text
FOR NO KEY UPDATE OF r;
