-- report_schedule_list: the tenant's schedules of reports.
-- params:
-- result: one_row (document text)
-- role: api
-- access: read
SELECT pg_catalog.json_build_object('data', coalesce(pg_catalog.json_agg(kaireon.report_schedule_document(s) ORDER BY s.created_at, s.id), '[]'))::text
FROM kaireon.report_schedules AS s
WHERE s.tenant_id = kaireon.tenant_id();
