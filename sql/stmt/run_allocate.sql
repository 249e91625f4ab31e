-- run_allocate: put the allocation into the ledger, in the ledger's order: each of its
-- pages is looked at once.
-- params: run_id text
-- result: none
-- role: worker
-- access: write
UPDATE kaireon.campaign_run_results AS l
SET status = a.status
FROM (SELECT x.customer_id, x.rank, x.status, r.tenant_id, r.id, r.run_month
      FROM pg_temp.run_allocation AS x, kaireon.campaign_runs AS r
      WHERE r.tenant_id = kaireon.tenant_id() AND r.id = $1::text
      ORDER BY x.customer_id, x.rank
      OFFSET 0) AS a
WHERE l.tenant_id = a.tenant_id AND l.run_month = a.run_month AND l.run_id = a.id
  AND l.customer_id = a.customer_id AND l.rank = a.rank;
