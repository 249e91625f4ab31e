-- report_template_list: the tenant's templates of reports.
-- params:
-- result: one_row (document text)
-- role: api
-- access: read
SELECT pg_catalog.json_build_object('data', coalesce(pg_catalog.json_agg(kaireon.report_template_document(t) ORDER BY t.created_at, t.id), '[]'))::text
FROM kaireon.report_templates AS t
WHERE t.tenant_id = kaireon.tenant_id();
