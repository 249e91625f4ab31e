-- approval_expire: a tenant's approvals that are older than the cutoff, so many at a time.
-- What somebody decides on at this moment is his.
-- params: cutoff timestamptz, limit int8
-- result: one_row (expired int8, ids jsonb)
-- role: worker
-- access: write
WITH due AS (
	SELECT a.tenant_id, a.id
	FROM kaireon.approvals AS a
	WHERE a.tenant_id = kaireon.tenant_id() AND a.status = 'pending'
	  AND a.created_at < $1::timestamptz
	ORDER BY a.created_at
	LIMIT $2::int8
	FOR UPDATE OF a SKIP LOCKED
), gone AS (
	UPDATE kaireon.approvals AS a
	SET status = 'expired', decided_at = pg_catalog.now(), updated_at = pg_catalog.now()
	FROM due AS d
	WHERE a.tenant_id = d.tenant_id AND a.id = d.id
	RETURNING a.id
)
SELECT count(*), coalesce(pg_catalog.jsonb_agg(g.id ORDER BY g.id), '[]') FROM gone AS g;
