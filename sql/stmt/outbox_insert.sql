-- outbox_insert: deliveries of one message, one to each provider, with the fact
-- that they tell of. What was queued under this key already stays as it is.
-- params: ids text[], providers text[], topic text, key text, source_id text, payload jsonb
-- result: none
-- role: api, worker
-- access: write
INSERT INTO kaireon.outbox_events (tenant_id, id, provider_id, topic, unique_key, source_id, payload)
SELECT kaireon.tenant_id(), n.id, n.provider_id, $3::text, $4::text || ':' || n.provider_id,
       $5::text, $6::jsonb
FROM unnest($1::text[], $2::text[]) AS n (id, provider_id)
ON CONFLICT (tenant_id, topic, unique_key) DO NOTHING;
