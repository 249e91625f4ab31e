-- report_template_get: a template of reports.
-- params: id text
-- result: zero_or_one (document text)
-- role: api
-- access: read
SELECT kaireon.report_template_document(t)::text
FROM kaireon.report_templates AS t
WHERE t.tenant_id = kaireon.tenant_id() AND t.id = $1::text;
