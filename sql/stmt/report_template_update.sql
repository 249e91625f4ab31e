-- report_template_update: a template gets its fields.
-- params: id text, fields jsonb
-- result: one_row (document text, shown text)
-- role: api
-- access: write
WITH made AS (
	UPDATE kaireon.report_templates AS t
	SET (name, description, data_sources, sections, formats, narrative, filters, enabled)
	  = (f."name", f."description", f."dataSources", f."sections", f."formats", f."narrative", f."filters", f."enabled"),
	    updated_at = pg_catalog.now()
	FROM pg_catalog.jsonb_to_record($2::jsonb) AS f ("name" text, "description" text, "dataSources" jsonb, "sections" jsonb, "formats" jsonb,
		"narrative" jsonb, "filters" jsonb, "enabled" bool)
	WHERE t.tenant_id = kaireon.tenant_id() AND t.id = $1::text
	RETURNING t.*
)
SELECT kaireon.report_template_document(m::kaireon.report_templates)::text, $2::jsonb::text FROM made AS m;
