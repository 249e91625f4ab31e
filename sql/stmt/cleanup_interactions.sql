-- cleanup_interactions: the next interactions whose time is over, and their mark.
-- The configuration is locked until the commit, and so is the export's checkpoint:
-- each row is in a file for good, or in none.
-- params: from_at timestamptz, from_id text, batch int8, wait_for_export bool
-- result: one_row (held bool, done bool, purged int8, daily int8, kept int8, to_at text, to_id text)
-- role: worker
-- access: write
WITH allowed AS MATERIALIZED (
	SELECT kaireon.retention_cutoff('interactions') AS cutoff
), point AS MATERIALIZED (
	SELECT k.commit_xid, k.id, k.intent_commit_xid, k.intent_id,
	       k.system_identifier <> s.system_identifier::text AS changed
	FROM kaireon.export_checkpoints AS k, pg_catalog.pg_control_system() AS s
	WHERE k.tenant_id = kaireon.tenant_id() AND k.stream = 'interaction_history'
	FOR SHARE OF k
), last AS MATERIALIZED (
	SELECT n.created_at, n.id, count(*) OVER () AS nr
	FROM (SELECT h.created_at, h.id
	      FROM kaireon.interaction_history AS h
	      WHERE h.tenant_id = kaireon.tenant_id()
	        AND h.created_at >= $1::timestamptz
	        AND (h.created_at, h.id) > ($1::timestamptz, $2::text COLLATE "C")
	        AND h.created_at < (SELECT a.cutoff FROM allowed AS a)
	      ORDER BY h.created_at, h.id
	      LIMIT $3::int8) AS n
	ORDER BY n.created_at DESC, n.id DESC
	LIMIT 1
), gone AS (
	DELETE FROM kaireon.interaction_history AS h
	USING last AS l LEFT JOIN point AS k ON true
	WHERE h.tenant_id = kaireon.tenant_id()
	  AND h.created_at >= $1::timestamptz AND h.created_at <= l.created_at
	  AND (h.created_at, h.id) > ($1::timestamptz, $2::text COLLATE "C")
	  AND (h.created_at, h.id) <= (l.created_at, l.id)
	  -- the batch that is being exported stays, and what is to be waited for
	  AND NOT coalesce((h.commit_xid, h.id) > (k.commit_xid, k.id)
	                   AND (h.commit_xid, h.id) <= (k.intent_commit_xid, k.intent_id), false)
	  AND NOT ($4::bool AND coalesce(k.changed OR (h.commit_xid, h.id) > (k.commit_xid, k.id), true))
	RETURNING h.created_at, (h.commit_xid, h.id) <= (k.commit_xid, k.id) AS exported
), marked AS (
	INSERT INTO kaireon.purge_marks AS m (tenant_id, table_name, month, purged_before,
		purged_rows, exported_rows)
	SELECT kaireon.tenant_id(), 'interaction_history',
	       pg_catalog.date_trunc('month', g.created_at AT TIME ZONE 'UTC')::date,
	       (SELECT a.cutoff FROM allowed AS a), count(*), count(*) FILTER (WHERE g.exported)
	FROM gone AS g
	GROUP BY 3
	ON CONFLICT (tenant_id, table_name, month) DO UPDATE
	SET purged_before = greatest(m.purged_before, excluded.purged_before),
	    purged_rows = m.purged_rows + excluded.purged_rows,
	    exported_rows = m.exported_rows + excluded.exported_rows,
	    updated_at = pg_catalog.now()
)
SELECT a.cutoff IS NULL, coalesce(l.nr < $3::int8, true), g.nr, 0::int8,
       coalesce(l.nr, 0) - g.nr, l.created_at::text, l.id
FROM allowed AS a
CROSS JOIN (SELECT count(*) AS nr FROM gone) AS g
LEFT JOIN last AS l ON true;
