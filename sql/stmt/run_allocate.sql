-- run_allocate: put the allocation into the ledger.
-- params: run_id text
-- result: none
-- role: worker
-- access: write
UPDATE kaireon.campaign_run_results AS l
SET status = a.status
FROM pg_temp.run_allocation AS a, kaireon.campaign_runs AS r
WHERE r.tenant_id = kaireon.tenant_id() AND r.id = $1::text
  AND l.tenant_id = r.tenant_id AND l.run_month = r.run_month AND l.run_id = r.id
  AND l.customer_id = a.customer_id AND l.rank = a.rank;
