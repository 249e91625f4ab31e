-- segment_names: the tenant's segments, which configuration may name.
-- params:
-- result: rows (id text, name text)
-- role: api, worker, owner
-- access: read
SELECT s.id, s.name
FROM kaireon.segments AS s
WHERE s.tenant_id = kaireon.tenant_id()
ORDER BY s.name;
