-- report_schedule_check: is there such a template, and such a time zone?
-- params: template_id text, timezone text
-- result: one_row (has_template bool, has_zone bool)
-- role: api
-- access: read
SELECT EXISTS (SELECT FROM kaireon.report_templates AS t
               WHERE t.tenant_id = kaireon.tenant_id() AND t.id = $1::text),
       EXISTS (SELECT FROM pg_catalog.pg_timezone_names AS z WHERE z.name = $2::text);
