-- report_run_list: runs of reports, newest first.
-- params: limit int8, offset int8, template_id text
-- result: one_row (document text)
-- role: api
-- access: read
SELECT pg_catalog.json_build_object(
	'data', coalesce((
		SELECT pg_catalog.json_agg(kaireon.report_run_document(p.r) ORDER BY (p.r).created_at DESC, (p.r).id DESC)
		FROM (SELECT r FROM kaireon.report_runs AS r
		      WHERE r.tenant_id = kaireon.tenant_id() AND r.template_id = coalesce($3::text, r.template_id)
		      ORDER BY r.created_at DESC, r.id DESC
		      LIMIT $1::int8 OFFSET $2::int8) AS p), '[]'),
	'total', (SELECT count(*) FROM kaireon.report_runs AS r
	          WHERE r.tenant_id = kaireon.tenant_id() AND r.template_id = coalesce($3::text, r.template_id)))::text;
