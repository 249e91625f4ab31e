-- deadletter_purge: remove dead letters for good.
-- params: topic text, ids text[]
-- result: none
-- role: api
-- access: write
DELETE FROM kaireon.dead_letter_events AS e
WHERE e.tenant_id = kaireon.tenant_id()
  AND ($1::text IS NULL OR e.topic = $1::text)
  AND ($2::text[] IS NULL OR e.id = ANY ($2::text[]));
