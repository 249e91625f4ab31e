-- report_due: schedules whose time has come, of all active tenants.
-- params: now timestamptz
-- result: rows (tenant_id text, id text, cron_expression text, timezone text, next_run_at timestamptz)
-- role: worker
-- access: read
SELECT s.tenant_id, s.id, s.cron_expression, s.timezone, s.next_run_at
FROM kaireon.report_schedules AS s
JOIN kaireon.report_templates AS m ON m.tenant_id = s.tenant_id AND m.id = s.template_id AND m.enabled
JOIN kaireon.tenants AS t ON t.tenant_id = s.tenant_id AND t.status = 'active'
WHERE s.enabled AND s.next_run_at <= $1::timestamptz
ORDER BY s.next_run_at, s.tenant_id, s.id;
