-- report_template_load: a template's fields; held until the transaction ends.
-- params: id text
-- result: zero_or_one (fields jsonb)
-- role: api
-- access: write
SELECT pg_catalog.jsonb_build_object('name', t.name, 'description', t.description,
	'dataSources', t.data_sources, 'sections', t.sections, 'formats', t.formats,
	'narrative', t.narrative, 'filters', t.filters, 'enabled', t.enabled)
FROM kaireon.report_templates AS t
WHERE t.tenant_id = kaireon.tenant_id() AND t.id = $1::text
FOR UPDATE OF t;
