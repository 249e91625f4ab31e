-- report_attachments: the artifacts of a report's run, in base64.
-- params: tenant_id text, run_id text
-- result: rows (format text, base64 text)
-- role: worker
-- access: read
SELECT a.format, pg_catalog.encode(a.content, 'base64')
FROM kaireon.report_artifacts AS a
WHERE a.tenant_id = $1::text AND a.run_id = $2::text
ORDER BY a.format;
