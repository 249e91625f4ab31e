-- cleanup_summaries: the next summaries whose time is over, of all period types, and
-- their mark.
-- params: from_at timestamptz, from_id text, batch int8, wait_for_export bool
-- result: one_row (held bool, done bool, purged int8, daily int8, kept int8, to_at text, to_id text)
-- role: worker
-- access: write
WITH allowed AS MATERIALIZED (
	SELECT kaireon.retention_cutoff('metrics') AS cutoff
), gone AS (
	DELETE FROM kaireon.interaction_summaries AS s
	WHERE s.tenant_id = kaireon.tenant_id()
	  AND s.ctid = ANY (ARRAY(
		SELECT n.ctid FROM kaireon.interaction_summaries AS n
		WHERE n.tenant_id = kaireon.tenant_id() AND n.period_end >= $1::timestamptz
		  AND n.period_end < (SELECT a.cutoff FROM allowed AS a)
		  AND $2::text IS NOT NULL AND $4::bool IS NOT NULL -- of the other tables
		ORDER BY n.period_end
		LIMIT $3::int8))
	RETURNING s.period_end, s.period_type
), marked AS (
	INSERT INTO kaireon.purge_marks AS m (tenant_id, table_name, month, purged_before,
		purged_rows)
	SELECT kaireon.tenant_id(), 'interaction_summaries',
	       pg_catalog.date_trunc('month', g.period_end AT TIME ZONE 'UTC')::date,
	       (SELECT a.cutoff FROM allowed AS a), count(*)
	FROM gone AS g
	GROUP BY 3
	ON CONFLICT (tenant_id, table_name, month) DO UPDATE
	SET purged_before = greatest(m.purged_before, excluded.purged_before),
	    purged_rows = m.purged_rows + excluded.purged_rows, updated_at = pg_catalog.now()
)
SELECT a.cutoff IS NULL, g.nr < $3::int8, g.nr, g.daily, 0::int8, g.last::text, ''::text
FROM allowed AS a
CROSS JOIN (SELECT count(*) AS nr, count(*) FILTER (WHERE g.period_type = 'daily') AS daily,
                   max(g.period_end) AS last
            FROM gone AS g) AS g;
