-- cleanup_traces: the next decision traces whose time is over, and their mark.
-- params: from_at timestamptz, from_id text, batch int8, wait_for_export bool
-- result: one_row (held bool, done bool, purged int8, daily int8, kept int8, to_at text, to_id text)
-- role: worker
-- access: write
WITH allowed AS MATERIALIZED (
	SELECT kaireon.retention_cutoff('decisions') AS cutoff
), last AS MATERIALIZED (
	SELECT n.created_at, n.id, count(*) OVER () AS nr
	FROM (SELECT d.created_at, d.id
	      FROM kaireon.decision_traces AS d
	      WHERE d.tenant_id = kaireon.tenant_id()
	        AND d.created_at >= $1::timestamptz
	        AND (d.created_at, d.id) > ($1::timestamptz, $2::text COLLATE "C")
	        AND d.created_at < (SELECT a.cutoff FROM allowed AS a)
	      ORDER BY d.created_at, d.id
	      LIMIT $3::int8) AS n
	ORDER BY n.created_at DESC, n.id DESC
	LIMIT 1
), gone AS (
	DELETE FROM kaireon.decision_traces AS d
	USING last AS l
	WHERE d.tenant_id = kaireon.tenant_id()
	  AND d.created_at >= $1::timestamptz AND d.created_at <= l.created_at
	  AND (d.created_at, d.id) > ($1::timestamptz, $2::text COLLATE "C")
	  AND (d.created_at, d.id) <= (l.created_at, l.id)
	  AND $4::bool IS NOT NULL -- traces are not exported: nothing to wait for
	RETURNING d.created_at
), marked AS (
	INSERT INTO kaireon.purge_marks AS m (tenant_id, table_name, month, purged_before,
		purged_rows)
	SELECT kaireon.tenant_id(), 'decision_traces',
	       pg_catalog.date_trunc('month', g.created_at AT TIME ZONE 'UTC')::date,
	       (SELECT a.cutoff FROM allowed AS a), count(*)
	FROM gone AS g
	GROUP BY 3
	ON CONFLICT (tenant_id, table_name, month) DO UPDATE
	SET purged_before = greatest(m.purged_before, excluded.purged_before),
	    purged_rows = m.purged_rows + excluded.purged_rows, updated_at = pg_catalog.now()
)
SELECT a.cutoff IS NULL, coalesce(l.nr < $3::int8, true), g.nr, 0::int8, 0::int8,
       l.created_at::text, l.id
FROM allowed AS a
CROSS JOIN (SELECT count(*) AS nr FROM gone) AS g
LEFT JOIN last AS l ON true;
