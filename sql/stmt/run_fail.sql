-- run_fail: the run cannot go on; its other jobs have nothing left to do.
-- params: run_id text, error text
-- result: none
-- role: worker
-- access: write
UPDATE kaireon.campaign_runs AS r
SET status = 'failed', error = $2::text, completed_at = pg_catalog.clock_timestamp()
WHERE r.tenant_id = kaireon.tenant_id() AND r.id = $1::text
  AND r.status IN ('pending', 'running', 'paused');
