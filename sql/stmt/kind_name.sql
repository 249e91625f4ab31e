-- kind_name: the name of a live object of one kind.
-- params: id text
-- result: zero_or_one (name text)
-- role: api, owner
-- access: read
-- identifiers: table
SELECT t.name
FROM kaireon.{table} AS t
WHERE t.tenant_id = kaireon.tenant_id() AND t.id = $1::text AND t.deleted_at IS NULL;
