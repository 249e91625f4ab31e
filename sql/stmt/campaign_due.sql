-- campaign_due: campaigns of all active tenants whose time has come, a page of them in the
-- order of their times, behind the last one of the page before.
-- params: limit int8, after_at timestamptz, after_tenant text, after_id text
-- result: rows (tenant_id text, id text, next_run_at timestamptz)
-- role: worker
-- access: read
SELECT c.tenant_id, c.id, c.next_run_at
FROM kaireon.campaigns AS c
JOIN kaireon.tenants AS t ON t.tenant_id = c.tenant_id AND t.status = 'active'
WHERE c.next_run_at IS NOT NULL AND c.status = 'active' AND c.next_run_at <= pg_catalog.now()
  AND (c.next_run_at, c.tenant_id, c.id) > ($2::timestamptz, $3::text, $4::text)
ORDER BY c.next_run_at, c.tenant_id, c.id
LIMIT $1::int8;
