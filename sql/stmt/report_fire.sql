-- report_fire: a schedule's run for an occurrence, and the time of the next; no row when
-- another tick was first, or the schedule was changed since.
-- params: schedule_id text, planned_for timestamptz, next_run_at timestamptz, run_id text, now timestamptz
-- result: zero_or_one (run_id text)
-- role: worker
-- access: write
WITH fired AS (
	UPDATE kaireon.report_schedules AS s
	SET last_run_at = $5::timestamptz, next_run_at = $3::timestamptz, last_status = 'pending'
	WHERE s.tenant_id = kaireon.tenant_id() AND s.id = $1::text AND s.enabled
	  AND s.next_run_at = $2::timestamptz
	RETURNING s.*
)
INSERT INTO kaireon.report_runs (tenant_id, id, template_id, schedule_id, status, planned_for, destinations)
SELECT f.tenant_id, $4::text, f.template_id, f.id, 'pending', $2::timestamptz, f.destinations
FROM fired AS f
RETURNING id;
