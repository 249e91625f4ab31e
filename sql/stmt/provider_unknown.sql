-- provider_unknown: which of these are no providers of the tenant? Places count from 0.
-- params: ids text[]
-- result: rows (place int8)
-- role: api
-- access: read
SELECT n.place - 1
FROM pg_catalog.unnest($1::text[]) WITH ORDINALITY AS n (id, place)
WHERE NOT EXISTS (SELECT FROM kaireon.notification_providers AS p
                  WHERE p.tenant_id = kaireon.tenant_id() AND p.id = n.id AND p.deleted_at IS NULL)
ORDER BY n.place;
