-- report_schedule_delete: a schedule goes; its runs stay.
-- params: id text
-- result: none
-- role: api
-- access: write
DELETE FROM kaireon.report_schedules AS s
WHERE s.tenant_id = kaireon.tenant_id() AND s.id = $1::text;
