-- report_run_load: what a run's report is made of; held until the transaction ends.
-- params: id text
-- result: zero_or_one (status text, fields jsonb, destinations jsonb, tenant_name text, at timestamptz)
-- role: worker
-- access: write
SELECT r.status, pg_catalog.jsonb_build_object('id', t.id, 'name', t.name, 'description', t.description,
	'dataSources', t.data_sources, 'sections', t.sections, 'formats', t.formats,
	'narrative', t.narrative),
       r.destinations, n.name, coalesce(r.planned_for, r.created_at)
FROM kaireon.report_runs AS r
JOIN kaireon.report_templates AS t ON t.tenant_id = r.tenant_id AND t.id = r.template_id
JOIN kaireon.tenants AS n ON n.tenant_id = r.tenant_id
WHERE r.tenant_id = kaireon.tenant_id() AND r.id = $1::text
FOR UPDATE OF r;
