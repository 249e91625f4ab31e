-- tenant_list: all tenants.
-- params:
-- result: rows (tenant_id text, name text, status text, is_playground bool, legal_hold bool, time_zone text, created_at text)
-- role: owner, worker
-- access: read
SELECT t.tenant_id, t.name, t.status, t.is_playground, t.legal_hold, t.time_zone,
       kaireon.time_text(t.created_at)
FROM kaireon.tenants AS t
ORDER BY t.tenant_id;
