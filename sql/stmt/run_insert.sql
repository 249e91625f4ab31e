-- run_insert: the next run of a campaign whose row is locked.
-- params: id text, campaign_id text, triggered_by text
-- result: one_row (document text)
-- role: api, worker
-- access: write
WITH campaign AS (
	UPDATE kaireon.campaigns AS c
	SET run_count = c.run_count + 1, last_run_at = pg_catalog.now()
	WHERE c.tenant_id = kaireon.tenant_id() AND c.id = $2::text
	RETURNING c.tenant_id, c.id, c.run_count
), made AS (
	INSERT INTO kaireon.campaign_runs (tenant_id, id, campaign_id, run_number, triggered_by)
	SELECT c.tenant_id, $1::text, c.id, c.run_count, $3::text FROM campaign AS c
	RETURNING campaign_runs.*
)
SELECT kaireon.run_document(m::kaireon.campaign_runs)::text FROM made AS m;
