-- run_finish: the run, whose row is locked, is complete.
-- params: run_id text, summary jsonb, status text, file_path text, decisions int8
-- result: one_row (campaign_id text)
-- role: worker
-- access: write
WITH tenant AS (
	UPDATE kaireon.tenants AS t
	SET decision_count = t.decision_count + $5::int8
	WHERE t.tenant_id = kaireon.tenant_id()
)
UPDATE kaireon.campaign_runs AS r
SET status = $3::text, step = 'done', error = NULL, summary = $2::jsonb, file_path = $4::text,
    completed_at = pg_catalog.clock_timestamp()
WHERE r.tenant_id = kaireon.tenant_id() AND r.id = $1::text AND r.status = 'running'
RETURNING r.campaign_id;
