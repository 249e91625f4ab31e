-- export_intent: the batch to write: the intent that is there, else a new one over
-- the next rows below the snapshot's ceiling; path NULL when nothing is new.
-- params: ending text, max_rows int8
-- result: one_row (path text, nr int8, previous_sha256 text, number int8, rows_before int8)
-- role: worker
-- access: write
-- The time in a path is later than that of the file before, also when the clock was
-- set back: no file is ever written over by another batch's.
WITH point AS (
	SELECT p.*,
	       greatest(pg_catalog.date_trunc('milliseconds', pg_catalog.clock_timestamp()),
	                p.path_at + interval '1 millisecond') AS next_at
	FROM kaireon.export_checkpoints AS p
	WHERE p.tenant_id = kaireon.tenant_id() AND p.stream = 'interaction_history'
), filled AS (
	-- a full batch ends at its last row; skipping to it counts and keeps nothing
	SELECT n.commit_xid, n.id, $2::int8 AS nr
	FROM point AS p
	-- lateral: the point is a bound of the index, not a filter behind it
	CROSS JOIN LATERAL (
		SELECT h.commit_xid, h.id
		FROM kaireon.interaction_history AS h
		WHERE h.tenant_id = kaireon.tenant_id()
		  AND (h.commit_xid, h.id) > (p.commit_xid, p.id)
		  AND h.commit_xid < pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())
		ORDER BY h.commit_xid, h.id
		OFFSET $2::int8 - 1 LIMIT 1) AS n
	WHERE p.intent_path IS NULL
), bound AS (
	SELECT f.commit_xid, f.id, f.nr FROM filled AS f
	UNION ALL
	-- the rest, which is less
	(SELECT n.commit_xid, n.id, count(*) OVER () AS nr
	 FROM point AS p
	 CROSS JOIN LATERAL (
		SELECT h.commit_xid, h.id
		FROM kaireon.interaction_history AS h
		WHERE h.tenant_id = kaireon.tenant_id()
		  AND (h.commit_xid, h.id) > (p.commit_xid, p.id)
		  AND h.commit_xid < pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())
		ORDER BY h.commit_xid, h.id
		LIMIT $2::int8) AS n
	 WHERE p.intent_path IS NULL AND NOT EXISTS (SELECT FROM filled)
	 ORDER BY n.commit_xid DESC, n.id DESC
	 LIMIT 1)
), made AS (
	UPDATE kaireon.export_checkpoints AS p
	SET intent_commit_xid = b.commit_xid, intent_id = b.id, intent_at = n.next_at,
	    path_at = n.next_at,
	    intent_path = 'exports/' || p.tenant_id || '/interaction_history/'
		|| kaireon.export_path(n.next_at, '.json' || $1::text)
	FROM bound AS b, point AS n
	WHERE p.tenant_id = kaireon.tenant_id() AND p.stream = 'interaction_history'
	  AND p.intent_path IS NULL
	RETURNING p.intent_path, b.nr
)
SELECT coalesce(p.intent_path, m.intent_path),
       -- of an intent that was there: its rows are all below a ceiling and stay the same
       coalesce(m.nr, (SELECT count(*) FROM kaireon.interaction_history AS h
                       WHERE h.tenant_id = kaireon.tenant_id()
                         AND (h.commit_xid, h.id) > (p.commit_xid, p.id)
                         AND (h.commit_xid, h.id) <= (p.intent_commit_xid, p.intent_id))),
       p.last_sha256, p.files_total + 1, p.rows_total
FROM point AS p LEFT JOIN made AS m ON true;
