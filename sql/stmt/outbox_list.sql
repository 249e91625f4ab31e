-- outbox_list: deliveries, newest first.
-- params: limit int8, offset int8, source_id text, status text
-- result: one_row (document text)
-- role: api
-- access: read
SELECT pg_catalog.json_build_object(
	'deliveries', coalesce((
		SELECT pg_catalog.json_agg(kaireon.delivery_document(p.o) ORDER BY (p.o).created_at DESC, (p.o).id DESC)
		FROM (SELECT o FROM kaireon.outbox_events AS o
		      WHERE o.tenant_id = kaireon.tenant_id()
		        AND ($3::text IS NULL OR o.source_id = $3::text)
		        AND ($4::text IS NULL OR CASE o.status WHEN 'processing' THEN 'pending' ELSE o.status END = $4::text)
		      ORDER BY o.created_at DESC, o.id DESC
		      LIMIT $1::int8 OFFSET $2::int8) AS p), '[]'),
	'total', (SELECT count(*) FROM kaireon.outbox_events AS o
	          WHERE o.tenant_id = kaireon.tenant_id()
	            AND ($3::text IS NULL OR o.source_id = $3::text)
	            AND ($4::text IS NULL OR CASE o.status WHEN 'processing' THEN 'pending' ELSE o.status END = $4::text)))::text;
