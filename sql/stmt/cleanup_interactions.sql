-- cleanup_interactions: the next interactions whose time is over, and their mark.
-- The configuration is locked until the commit, and so is the export's checkpoint:
-- each row is in a file for good, or in none. A partition is a month.
-- params: from_at timestamptz, from_id text, batch int8, wait_for_export bool
-- result: one_row (held bool, done bool, purged int8, daily int8, kept int8, to_at text, to_id text)
-- role: worker
-- access: write
WITH allowed AS MATERIALIZED (
	SELECT kaireon.retention_cutoff('interactions') AS cutoff
), point AS MATERIALIZED (
	SELECT k.commit_xid, k.id, k.intent_commit_xid, k.intent_id,
	       -- a batch is being exported, or what is not exported is to be waited for
	       $4::bool OR k.intent_id IS NOT NULL AS guards,
	       $4::bool AND k.system_identifier <> s.system_identifier::text AS keeps_all,
	       -- of a dump that is not rebased yet nobody knows
	       k.system_identifier = s.system_identifier::text AS tells
	FROM kaireon.export_checkpoints AS k, pg_catalog.pg_control_system() AS s
	WHERE k.tenant_id = kaireon.tenant_id() AND k.stream = 'interaction_history'
	FOR SHARE OF k
), next AS MATERIALIZED (
	SELECT h.created_at, h.id
	FROM kaireon.interaction_history AS h
	WHERE h.tenant_id = kaireon.tenant_id()
	  AND h.created_at >= $1::timestamptz
	  AND (h.created_at, h.id) >= ($1::timestamptz, $2::text COLLATE "C")
	  AND h.created_at < (SELECT a.cutoff FROM allowed AS a)
	ORDER BY h.created_at, h.id
	OFFSET $3::int8 LIMIT 1
), bound AS MATERIALIZED (
	SELECT a.cutoff, coalesce(n.created_at, a.cutoff) AS created_at, coalesce(n.id, '') AS id,
	       n.id IS NULL AS done
	FROM allowed AS a LEFT JOIN next AS n ON true
), gone AS (
	DELETE FROM kaireon.interaction_history AS h
	WHERE h.tenant_id = kaireon.tenant_id()
	  AND h.created_at >= $1::timestamptz
	  AND h.created_at <= (SELECT b.created_at FROM bound AS b)
	  AND (h.created_at, h.id) >= ($1::timestamptz, $2::text COLLATE "C")
	  AND (h.created_at, h.id) < (SELECT b.created_at, b.id FROM bound AS b)
	  AND NOT ((SELECT k.guards FROM point AS k)
	           AND ((SELECT k.keeps_all FROM point AS k)
	                OR ((h.commit_xid, h.id) > (SELECT k.commit_xid, k.id FROM point AS k)
	                    AND ($4::bool
	                         OR (h.commit_xid, h.id) <= (SELECT k.intent_commit_xid, k.intent_id FROM point AS k)))))
	RETURNING h.tableoid AS part,
	          (SELECT k.tells FROM point AS k)
	          AND (h.commit_xid, h.id) <= (SELECT k.commit_xid, k.id FROM point AS k) AS exported
), tally AS MATERIALIZED (
	SELECT pg_catalog.to_date(pg_catalog.right(g.part::regclass::text, 7), 'YYYY_MM') AS month,
	       count(*) AS nr, count(*) FILTER (WHERE g.exported) AS exported
	FROM gone AS g
	GROUP BY g.part
), marked AS (
	INSERT INTO kaireon.purge_marks AS m (tenant_id, table_name, month, purged_before,
		purged_rows, exported_rows)
	SELECT kaireon.tenant_id(), 'interaction_history', t.month, b.cutoff, t.nr, t.exported
	FROM tally AS t, bound AS b
	ON CONFLICT (tenant_id, table_name, month) DO UPDATE
	SET purged_before = greatest(m.purged_before, excluded.purged_before),
	    purged_rows = m.purged_rows + excluded.purged_rows,
	    exported_rows = m.exported_rows + excluded.exported_rows,
	    updated_at = pg_catalog.now()
)
SELECT b.cutoff IS NULL, b.done, g.nr, 0::int8,
       CASE WHEN b.done
       THEN (SELECT count(*) FROM kaireon.interaction_history AS h
             WHERE h.tenant_id = kaireon.tenant_id()
               AND h.created_at >= $1::timestamptz AND h.created_at <= b.created_at
               AND (h.created_at, h.id) >= ($1::timestamptz, $2::text COLLATE "C")
               AND (h.created_at, h.id) < (b.created_at, b.id))
       ELSE $3::int8 END - g.nr,
       b.created_at::text, b.id
FROM bound AS b
CROSS JOIN (SELECT coalesce(sum(t.nr), 0)::int8 AS nr FROM tally AS t) AS g;
