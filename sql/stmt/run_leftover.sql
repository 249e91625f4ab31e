-- run_leftover: the month of the ledger that an earlier attempt of a pending run left.
-- The run is held: it is not planned by another worker while that is removed.
-- params: id text
-- result: zero_or_one (run_month date)
-- role: worker
-- access: write
SELECT r.run_month
FROM kaireon.campaign_runs AS r
WHERE r.tenant_id = kaireon.tenant_id() AND r.id = $1::text
  AND r.status = 'pending' AND r.run_month IS NOT NULL
FOR SHARE OF r;
