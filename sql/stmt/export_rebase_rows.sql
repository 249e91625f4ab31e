-- export_rebase_rows: rows bear the number of their file; those that no file has, the next.
-- params: files int8
-- result: none
-- role: owner
-- access: write
UPDATE kaireon.interaction_history AS h
SET commit_xid = coalesce(n.number, $1::int8 + 1)::text::xid8
FROM kaireon.interaction_history AS o
LEFT JOIN (SELECT r.id, r.created_at, min(r.number) AS number
           FROM kaireon.export_rebase AS r
           WHERE r.tenant_id = kaireon.tenant_id()
           GROUP BY r.id, r.created_at) AS n
	ON n.id = o.id AND n.created_at = pg_catalog.date_trunc('milliseconds', o.created_at)
WHERE o.tenant_id = kaireon.tenant_id() AND h.tenant_id = o.tenant_id
  AND h.created_at = o.created_at AND h.id = o.id;
