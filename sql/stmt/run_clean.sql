-- run_clean: some of what an earlier attempt of a run left goes.
-- params: id text, run_month date, customers int8
-- result: none
-- role: worker
-- access: write
WITH chunks AS (
	DELETE FROM kaireon.campaign_run_chunks AS k
	WHERE k.tenant_id = kaireon.tenant_id() AND k.run_id = $1::text
)
DELETE FROM kaireon.campaign_run_results AS l
WHERE l.tenant_id = kaireon.tenant_id() AND l.run_month = $2::date AND l.run_id = $1::text
  AND l.customer_id <= (
	SELECT max(x.customer_id)
	FROM (SELECT y.customer_id FROM kaireon.campaign_run_results AS y
	      WHERE y.tenant_id = kaireon.tenant_id() AND y.run_month = $2::date AND y.run_id = $1::text
	      ORDER BY y.customer_id, y.rank
	      LIMIT $3::int8) AS x);
