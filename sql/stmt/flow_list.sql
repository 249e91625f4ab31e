-- flow_list: a page of flows by status, the last changed first; after that of the cursor,
-- which may be deleted meanwhile. No row: the cursor is no flow's id.
-- params: limit int8, cursor text
-- result: zero_or_one (document text)
-- role: api
-- access: read
WITH place AS (
	SELECT c.status, c.updated_at, c.id
	FROM kaireon.decision_flows AS c
	WHERE c.tenant_id = kaireon.tenant_id() AND c.id = $2::text
), page AS (
	SELECT f AS flow, f.id, f.status, f.updated_at,
	       pg_catalog.row_number() OVER (ORDER BY f.status COLLATE "C", f.updated_at DESC, f.id) AS nr
	FROM kaireon.decision_flows AS f
	LEFT JOIN place AS p ON true
	WHERE f.tenant_id = kaireon.tenant_id() AND f.deleted_at IS NULL
	  AND (p.id IS NULL OR f.status COLLATE "C" > p.status
	    OR (f.status = p.status AND (f.updated_at < p.updated_at
	        OR (f.updated_at = p.updated_at AND f.id > p.id))))
	ORDER BY f.status COLLATE "C", f.updated_at DESC, f.id
	LIMIT $1::int8 + 1
)
SELECT pg_catalog.json_build_object(
	'data', coalesce((SELECT pg_catalog.json_agg(kaireon.flow_document(g.flow) ORDER BY g.nr)
	                  FROM page AS g WHERE g.nr <= $1::int8), '[]'),
	'pagination', pg_catalog.json_build_object(
		'total', (SELECT count(*) FROM kaireon.decision_flows AS t
		          WHERE t.tenant_id = kaireon.tenant_id() AND t.deleted_at IS NULL),
		'limit', $1::int8,
		'hasMore', (SELECT count(*) > $1::int8 FROM page),
		'nextCursor', (SELECT g.id FROM page AS g
		               WHERE g.nr = $1::int8 AND (SELECT count(*) > $1::int8 FROM page))))::text
WHERE $2::text = '' OR EXISTS (SELECT FROM place);
