-- campaign_list: a page of campaigns, newest first, as the answer has it.
-- params: limit int8, offset int8
-- result: one_row (document text, rows int8)
-- role: api
-- access: read
SELECT pg_catalog.json_build_object(
	'runs', coalesce((SELECT pg_catalog.json_agg(kaireon.campaign_document(p) ORDER BY p.created_at DESC, p.id DESC)
	                  FROM (SELECT c.* FROM kaireon.campaigns AS c
	                        WHERE c.tenant_id = kaireon.tenant_id()
	                        ORDER BY c.created_at DESC, c.id DESC
	                        LIMIT $1::int8 OFFSET $2::int8) AS p), '[]'),
	'total', n.total)::text, n.total
FROM (SELECT count(*) AS total FROM kaireon.campaigns AS c
      WHERE c.tenant_id = kaireon.tenant_id()) AS n;
