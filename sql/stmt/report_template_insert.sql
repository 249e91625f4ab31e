-- report_template_insert: a new template from its fields.
-- params: id text, fields jsonb
-- result: one_row (document text, shown text)
-- role: api
-- access: write
WITH made AS (
	INSERT INTO kaireon.report_templates (tenant_id, id, name, description, data_sources, sections, formats, narrative, filters, enabled)
	SELECT kaireon.tenant_id(), $1::text, f."name", f."description", f."dataSources", f."sections", f."formats", f."narrative", f."filters", f."enabled"
	FROM pg_catalog.jsonb_to_record($2::jsonb) AS f ("name" text, "description" text, "dataSources" jsonb, "sections" jsonb, "formats" jsonb,
		"narrative" jsonb, "filters" jsonb, "enabled" bool)
	RETURNING report_templates.*
)
SELECT kaireon.report_template_document(m::kaireon.report_templates)::text, $2::jsonb::text FROM made AS m;
