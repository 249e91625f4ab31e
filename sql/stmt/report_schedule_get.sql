-- report_schedule_get: a schedule of reports.
-- params: id text
-- result: zero_or_one (document text)
-- role: api
-- access: read
SELECT kaireon.report_schedule_document(s)::text
FROM kaireon.report_schedules AS s
WHERE s.tenant_id = kaireon.tenant_id() AND s.id = $1::text;
