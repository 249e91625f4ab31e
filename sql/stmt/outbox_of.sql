-- outbox_of: the deliveries of one fact.
-- params: source_id text
-- result: one_row (document text)
-- role: api
-- access: read
SELECT coalesce(pg_catalog.json_agg(kaireon.delivery_document(o) ORDER BY o.provider_id), '[]')::text
FROM kaireon.outbox_events AS o
WHERE o.tenant_id = kaireon.tenant_id() AND o.source_id = $1::text;
