-- report_template_read: what a preview is made of.
-- params: id text
-- result: zero_or_one (fields jsonb, tenant_name text)
-- role: api
-- access: read
SELECT pg_catalog.jsonb_build_object('id', t.id, 'name', t.name, 'description', t.description,
	'dataSources', t.data_sources, 'sections', t.sections, 'formats', t.formats,
	'narrative', t.narrative), n.name
FROM kaireon.report_templates AS t
JOIN kaireon.tenants AS n ON n.tenant_id = t.tenant_id
WHERE t.tenant_id = kaireon.tenant_id() AND t.id = $1::text;
