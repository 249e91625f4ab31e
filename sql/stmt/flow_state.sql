-- flow_state: what decides whether a flow may be changed, published, deleted.
-- params: id text
-- result: zero_or_one (row_version int8, published bool, status text, name text, empty bool)
-- role: api
-- access: read
SELECT f.row_version, f.published_version IS NOT NULL, f.status, f.name,
       coalesce(pg_catalog.jsonb_array_length(f.draft_config->'nodes'), 0) = 0
FROM kaireon.decision_flows AS f
WHERE f.tenant_id = kaireon.tenant_id() AND f.id = $1::text AND f.deleted_at IS NULL;
