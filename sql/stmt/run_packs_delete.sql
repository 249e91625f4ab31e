-- run_packs_delete: a run that ended without a result leaves no decisions.
-- params: run_id text
-- result: none
-- role: worker
-- access: write
WITH allocations AS (
	DELETE FROM kaireon.campaign_run_allocations AS a
	WHERE a.tenant_id = kaireon.tenant_id() AND a.run_id = $1::text
)
DELETE FROM kaireon.campaign_run_packs AS p
WHERE p.tenant_id = kaireon.tenant_id() AND p.run_id = $1::text;
