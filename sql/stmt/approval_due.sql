-- approval_due: the tenants of which an approval is older than the cutoff.
-- params: cutoff timestamptz
-- result: rows (tenant_id text)
-- role: worker
-- access: read
SELECT DISTINCT a.tenant_id
FROM kaireon.approvals AS a
WHERE a.status = 'pending' AND a.created_at < $1::timestamptz
ORDER BY a.tenant_id;
