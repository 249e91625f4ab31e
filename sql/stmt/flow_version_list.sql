-- flow_version_list: a page of the versions of a flow, newest first, below the cursor.
-- params: id text, limit int8, cursor int8
-- result: zero_or_one (document text)
-- role: api
-- access: read
WITH page AS (
	SELECT v.version, v.published_at, v.published_by, v.notes
	FROM kaireon.decision_flow_versions AS v
	WHERE v.tenant_id = kaireon.tenant_id() AND v.flow_id = $1::text AND v.version < $3::int8
	ORDER BY v.version DESC
	LIMIT $2::int8
)
SELECT pg_catalog.json_build_object(
	'data', coalesce((SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
			'version', g.version, 'publishedAt', kaireon.time_text(g.published_at),
			'publishedBy', g.published_by, 'notes', g.notes) ORDER BY g.version DESC)
		FROM page AS g), '[]'),
	'pagination', pg_catalog.json_build_object(
		'total', n.total, 'limit', $2::int8,
		'hasMore', n.more, 'nextCursor', CASE WHEN n.more THEN n.lowest END))::text
FROM kaireon.decision_flows AS f
CROSS JOIN LATERAL (SELECT (SELECT min(g.version) FROM page AS g) AS lowest) AS l
CROSS JOIN LATERAL (
	SELECT count(*) AS total, l.lowest,
	       coalesce(pg_catalog.bool_or(v.version < l.lowest), false) AS more
	FROM kaireon.decision_flow_versions AS v
	WHERE v.tenant_id = f.tenant_id AND v.flow_id = f.id) AS n
WHERE f.tenant_id = kaireon.tenant_id() AND f.id = $1::text AND f.deleted_at IS NULL;
