-- run_open: the run of a campaign that has not ended; it does not end before this
-- transaction does.
-- params: campaign_id text
-- result: zero_or_one (id text)
-- role: api
-- access: write
SELECT r.id
FROM kaireon.campaign_runs AS r
WHERE r.tenant_id = kaireon.tenant_id() AND r.campaign_id = $1::text
  AND r.status IN ('pending', 'running', 'paused')
FOR NO KEY UPDATE OF r;
