-- report_artifact_get: an artifact of a run, in hex.
-- params: run_id text, format text
-- result: zero_or_one (content text, name text)
-- role: api
-- access: read
SELECT pg_catalog.encode(a.content, 'hex'), t.name
FROM kaireon.report_artifacts AS a
JOIN kaireon.report_runs AS r ON r.tenant_id = a.tenant_id AND r.id = a.run_id
JOIN kaireon.report_templates AS t ON t.tenant_id = r.tenant_id AND t.id = r.template_id
WHERE a.tenant_id = kaireon.tenant_id() AND a.run_id = $1::text AND a.format = $2::text;
