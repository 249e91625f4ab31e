-- report_park: a schedule that cannot be read any more waits for somebody to change it.
-- params: schedule_id text
-- result: none
-- role: worker
-- access: write
UPDATE kaireon.report_schedules AS s
SET next_run_at = NULL, last_status = 'failed'
WHERE s.tenant_id = kaireon.tenant_id() AND s.id = $1::text;
