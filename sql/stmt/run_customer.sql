-- run_customer: what a run decided for a customer.
-- params: run_id text, customer_id text
-- result: rows (rank int4, status text, offer_id text, channel_id text, score float8, error text)
-- role: owner
-- access: read
SELECT l.rank, l.status, l.offer_id, l.channel_id, l.score, l.error
FROM kaireon.campaign_run_results AS l
JOIN kaireon.campaign_runs AS r
  ON r.tenant_id = l.tenant_id AND r.id = l.run_id AND r.run_month = l.run_month
WHERE l.tenant_id = kaireon.tenant_id() AND l.run_id = $1::text AND l.customer_id = $2::text
ORDER BY l.rank;
