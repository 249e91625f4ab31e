-- run_clean: what an earlier attempt of a run left goes.
-- params: id text, run_month date
-- result: none
-- role: worker
-- access: write
WITH chunks AS (
	DELETE FROM kaireon.campaign_run_chunks AS k
	WHERE k.tenant_id = kaireon.tenant_id() AND k.run_id = $1::text
)
DELETE FROM kaireon.campaign_run_results AS l
WHERE l.tenant_id = kaireon.tenant_id() AND l.run_month = $2::date AND l.run_id = $1::text;
