-- campaign_delete: a campaign goes with its runs; what is left of them, for the purge.
-- params: id text
-- result: zero_or_one (purge jsonb)
-- role: api
-- access: write
WITH left_over AS (
	SELECT pg_catalog.jsonb_build_object('runs', coalesce(pg_catalog.jsonb_agg(
	           pg_catalog.jsonb_build_object('id', r.id, 'month', r.run_month,
	           'file', r.config #> '{campaign,fileConfig}')
	           ORDER BY r.run_number), '[]')) AS purge
	FROM kaireon.campaign_runs AS r
	WHERE r.tenant_id = kaireon.tenant_id() AND r.campaign_id = $1::text AND r.run_month IS NOT NULL
), gone AS (
	DELETE FROM kaireon.campaigns AS c
	WHERE c.tenant_id = kaireon.tenant_id() AND c.id = $1::text
	RETURNING c.id
)
SELECT l.purge FROM left_over AS l, gone AS g;
