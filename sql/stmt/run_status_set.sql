-- run_status_set: a run that is in one of some states gets another; no row: it is not.
-- A run that was not planned yet waits as pending.
-- params: campaign_id text, id text, from_status text[], to_status text
-- result: zero_or_one (document text, before text, after text)
-- role: api
-- access: write
WITH held AS (
	SELECT r.tenant_id, r.id, r.status
	FROM kaireon.campaign_runs AS r
	WHERE r.tenant_id = kaireon.tenant_id() AND r.campaign_id = $1::text AND r.id = $2::text
	  AND r.status = ANY ($3::text[])
	FOR UPDATE OF r
), moved AS (
	UPDATE kaireon.campaign_runs AS r
	SET status = CASE WHEN $4::text = 'running' AND r.planned_now IS NULL THEN 'pending' ELSE $4::text END,
	    completed_at = CASE WHEN $4::text = 'cancelled' THEN pg_catalog.now() END
	FROM held AS h
	WHERE r.tenant_id = h.tenant_id AND r.id = h.id
	RETURNING r.*
)
SELECT kaireon.run_document(m::kaireon.campaign_runs)::text, h.status, m.status
FROM moved AS m, held AS h;
