-- cleanup_traces: the next decision traces whose time is over, and their mark.
-- params: from_at timestamptz, from_id text, batch int8, wait_for_export bool
-- result: one_row (held bool, done bool, purged int8, daily int8, kept int8, to_at text, to_id text)
-- role: worker
-- access: write
WITH allowed AS MATERIALIZED (
	SELECT kaireon.retention_cutoff('decisions') AS cutoff
), next AS MATERIALIZED (
	SELECT d.created_at, d.id
	FROM kaireon.decision_traces AS d
	WHERE d.tenant_id = kaireon.tenant_id()
	  AND d.created_at >= $1::timestamptz
	  AND (d.created_at, d.id) >= ($1::timestamptz, $2::text COLLATE "C")
	  AND d.created_at < (SELECT a.cutoff FROM allowed AS a)
	ORDER BY d.created_at, d.id
	OFFSET $3::int8 LIMIT 1
), bound AS MATERIALIZED (
	SELECT a.cutoff, coalesce(n.created_at, a.cutoff) AS created_at, coalesce(n.id, '') AS id,
	       n.id IS NULL AS done
	FROM allowed AS a LEFT JOIN next AS n ON true
), gone AS (
	DELETE FROM kaireon.decision_traces AS d
	WHERE d.tenant_id = kaireon.tenant_id()
	  AND d.created_at >= $1::timestamptz
	  AND d.created_at <= (SELECT b.created_at FROM bound AS b)
	  AND (d.created_at, d.id) >= ($1::timestamptz, $2::text COLLATE "C")
	  AND (d.created_at, d.id) < (SELECT b.created_at, b.id FROM bound AS b)
	  AND $4::bool IS NOT NULL -- traces are not exported: nothing to wait for
	RETURNING d.tableoid AS part
), tally AS MATERIALIZED (
	SELECT pg_catalog.to_date(pg_catalog.right(g.part::regclass::text, 7), 'YYYY_MM') AS month,
	       count(*) AS nr
	FROM gone AS g
	GROUP BY g.part
), marked AS (
	INSERT INTO kaireon.purge_marks AS m (tenant_id, table_name, month, purged_before,
		purged_rows)
	SELECT kaireon.tenant_id(), 'decision_traces', t.month, b.cutoff, t.nr
	FROM tally AS t, bound AS b
	ON CONFLICT (tenant_id, table_name, month) DO UPDATE
	SET purged_before = greatest(m.purged_before, excluded.purged_before),
	    purged_rows = m.purged_rows + excluded.purged_rows, updated_at = pg_catalog.now()
)
SELECT b.cutoff IS NULL, b.done, g.nr, 0::int8, 0::int8, b.created_at::text, b.id
FROM bound AS b
CROSS JOIN (SELECT coalesce(sum(t.nr), 0)::int8 AS nr FROM tally AS t) AS g;
