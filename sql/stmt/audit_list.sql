-- audit_list: rows of the tenant's audit log, newest first, that meet all filters; one
-- row of NULLs and the total when the page is empty. Without a filter a page is a range of
-- the chain's numbers, and the total is the chain's by its head: nothing is counted. With
-- one at most count_max are: `exact` is false when there are more.
-- params: limit int8, offset int8, action text, entity_type text, entity_id text, user_id text, from_time timestamptz, to_time timestamptz, count_max int8
-- result: rows (total int8, exact bool, document text, control text, id text, timestamp text, action text, entity_type text, entity_id text, entity_name text, user_id text, user_name text, request_id text, changes text, before text, after text, prev_hash text, hash text)
-- role: api
-- access: read
WITH head AS MATERIALIZED (
	SELECT h.seq - $2::int8 AS last_seq, h.seq - $2::int8 - $1::int8 AS before_seq,
	       h.seq - h.anchor_seq AS total,
	       ($3::text IS NULL AND $4::text IS NULL AND $5::text IS NULL AND $6::text IS NULL
	        AND $7::timestamptz IS NULL AND $8::timestamptz IS NULL) AS is_all
	FROM kaireon.audit_heads AS h
	WHERE h.tenant_id = kaireon.tenant_id()
), met AS NOT MATERIALIZED (
	SELECT a.*
	FROM kaireon.audit_logs AS a
	WHERE a.tenant_id = kaireon.tenant_id()
	  AND ($3::text IS NULL OR a.action = $3::text)
	  AND ($4::text IS NULL OR a.entity_type = $4::text)
	  AND ($5::text IS NULL OR a.entity_id = $5::text)
	  AND ($6::text IS NULL OR a.actor_id = $6::text)
	  AND ($7::timestamptz IS NULL OR a.created_at >= $7::timestamptz)
	  AND ($8::timestamptz IS NULL OR a.created_at <= $8::timestamptz)
), found AS MATERIALIZED (
	SELECT CASE WHEN h.is_all THEN h.total
	       ELSE (SELECT pg_catalog.count(*) FROM (SELECT FROM met LIMIT $9::int8 + 1) AS f) END AS total,
	       h.is_all
	FROM head AS h
), page AS (
	(SELECT m.* FROM met AS m
	 WHERE (SELECT h.is_all FROM head AS h)
	   AND m.seq <= (SELECT h.last_seq FROM head AS h)
	   AND m.seq > (SELECT h.before_seq FROM head AS h)
	 ORDER BY m.seq DESC LIMIT $1::int8)
	UNION ALL
	(SELECT m.* FROM met AS m
	 WHERE NOT (SELECT h.is_all FROM head AS h)
	 ORDER BY m.seq DESC LIMIT $1::int8 OFFSET $2::int8)
)
SELECT CASE WHEN f.is_all THEN f.total ELSE least(f.total, $9::int8) END,
       f.is_all OR f.total <= $9::int8,
       CASE WHEN p.id IS NOT NULL THEN kaireon.audit_document(p.id, p.seq, p.action, p.entity_type,
            p.entity_id, p.entity_name, p.changes, p.before, p.after, p.actor_id, p.actor_name,
            p.tenant_id, p.request_id, p.created_at, p.prev_hash, p.hash)::text END,
       kaireon.audit_control(p.action), p.id, kaireon.time_text(p.created_at), p.action,
       p.entity_type, p.entity_id, p.entity_name, p.actor_id, p.actor_name, p.request_id,
       p.changes::text, p.before::text, p.after::text, p.prev_hash, p.hash
FROM found AS f
LEFT JOIN page AS p ON true
ORDER BY p.seq DESC;
