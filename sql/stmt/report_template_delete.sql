-- report_template_delete: a template goes, with its schedules and runs.
-- params: id text
-- result: none
-- role: api
-- access: write
DELETE FROM kaireon.report_templates AS t
WHERE t.tenant_id = kaireon.tenant_id() AND t.id = $1::text;
