-- cleanup_suppressions: the next suppressions that have expired, whatever the retention.
-- params: batch int8
-- result: none
-- role: worker
-- access: write
DELETE FROM kaireon.suppressions AS s
WHERE s.tenant_id = kaireon.tenant_id()
  AND s.ctid = ANY (ARRAY(
	SELECT n.ctid FROM kaireon.suppressions AS n
	WHERE n.tenant_id = kaireon.tenant_id() AND n.expires_at < pg_catalog.now()
	ORDER BY n.expires_at
	LIMIT $1::int8));
