-- export_intent: the batch to write: the intent that is there, else a new one over
-- the next rows below the snapshot's ceiling; path NULL when nothing is new.
-- params: path text, max_rows int8
-- result: one_row (path text, from_xid xid8, from_id text, to_xid xid8, to_id text, changed bool, nr int8)
-- role: worker
-- access: write
WITH point AS (
	SELECT p.*, p.system_identifier <> c.system_identifier::text AS changed
	FROM kaireon.export_checkpoints AS p, pg_catalog.pg_control_system() AS c
	WHERE p.tenant_id = kaireon.tenant_id() AND p.stream = 'interaction_history'
), bound AS (
	SELECT n.commit_xid, n.id, count(*) OVER () AS nr
	FROM point AS p
	-- lateral: the point is a bound of the index, not a filter behind it
	CROSS JOIN LATERAL (
		SELECT h.commit_xid, h.id
		FROM kaireon.interaction_history AS h
		WHERE h.tenant_id = kaireon.tenant_id()
		  AND (h.commit_xid, h.id) > (p.commit_xid, p.id)
		  AND h.commit_xid < pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())
		ORDER BY h.commit_xid, h.id
		LIMIT $2::int8) AS n
	WHERE p.intent_path IS NULL AND NOT p.changed
	ORDER BY n.commit_xid DESC, n.id DESC
	LIMIT 1
), made AS (
	UPDATE kaireon.export_checkpoints AS p
	SET intent_commit_xid = b.commit_xid, intent_id = b.id, intent_at = pg_catalog.now(),
	    intent_path = $1::text
	FROM bound AS b
	WHERE p.tenant_id = kaireon.tenant_id() AND p.stream = 'interaction_history'
	RETURNING p.intent_path, p.intent_commit_xid, p.intent_id, b.nr
)
SELECT CASE WHEN p.changed THEN NULL ELSE coalesce(p.intent_path, m.intent_path) END,
       p.commit_xid, p.id,
       coalesce(p.intent_commit_xid, m.intent_commit_xid),
       coalesce(p.intent_id, m.intent_id), p.changed,
       -- of an intent that was there: its rows are all below a ceiling and stay the same
       coalesce(m.nr, (SELECT count(*) FROM kaireon.interaction_history AS h
                       WHERE h.tenant_id = kaireon.tenant_id()
                         AND (h.commit_xid, h.id) > (p.commit_xid, p.id)
                         AND (h.commit_xid, h.id) <= (p.intent_commit_xid, p.intent_id)))
FROM point AS p LEFT JOIN made AS m ON true;
