-- report_run_get: a run of a report, with the data of its sections.
-- params: id text
-- result: zero_or_one (document text)
-- role: api
-- access: read
SELECT pg_catalog.left(kaireon.report_run_document(r)::text, -1)
	|| ', "sectionsData" : ' || coalesce(r.sections_data::text, 'null')
	|| ', "narrativeOutput" : ' || coalesce(pg_catalog.to_json(r.narrative_output)::text, 'null') || '}'
FROM kaireon.report_runs AS r
WHERE r.tenant_id = kaireon.tenant_id() AND r.id = $1::text;
