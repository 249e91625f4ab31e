-- report_run_insert: a run of a template by hand, to the template's own destinations.
-- params: template_id text, run_id text
-- result: zero_or_one (document text)
-- role: api
-- access: write
WITH made AS (
	INSERT INTO kaireon.report_runs (tenant_id, id, template_id, status, destinations)
	SELECT t.tenant_id, $2::text, t.id, 'pending', coalesce(t.filters->'destinations', '[]')
	FROM kaireon.report_templates AS t
	WHERE t.tenant_id = kaireon.tenant_id() AND t.id = $1::text
	RETURNING report_runs.*
)
SELECT kaireon.report_run_document(m::kaireon.report_runs)::text FROM made AS m;
