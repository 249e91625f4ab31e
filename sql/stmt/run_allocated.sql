-- run_allocated: the run goes on to its last step; what the limits did is kept for
-- the summary.
-- params: run_id text, allocation jsonb
-- result: none
-- role: worker
-- access: write
UPDATE kaireon.campaign_runs AS r
SET step = 'finish', summary = $2::jsonb
WHERE r.tenant_id = kaireon.tenant_id() AND r.id = $1::text;
