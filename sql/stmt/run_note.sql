-- run_note: why a run that goes on was held up.
-- params: run_id text, error text
-- result: none
-- role: worker
-- access: write
UPDATE kaireon.campaign_runs AS r
SET error = $2::text
WHERE r.tenant_id = kaireon.tenant_id() AND r.id = $1::text AND r.status IN ('pending', 'running');
