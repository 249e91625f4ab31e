-- report_run_end: a run has ended, well or not.
-- params: id text, status text, sections_data jsonb, error text, narrative_output text
-- result: none
-- role: worker
-- access: write
WITH ended AS (
	UPDATE kaireon.report_runs AS r
	SET status = $2::text, sections_data = $3::jsonb, error = $4::text, narrative_output = $5::text, completed_at = pg_catalog.now()
	WHERE r.tenant_id = kaireon.tenant_id() AND r.id = $1::text AND r.status <> 'completed'
	RETURNING r.tenant_id, r.schedule_id
)
UPDATE kaireon.report_schedules AS s
SET last_status = $2::text
FROM ended AS e
WHERE s.tenant_id = e.tenant_id AND s.id = e.schedule_id;
