-- flow_find: a flow by its key.
-- params: key text
-- result: zero_or_one (id text)
-- role: api
-- access: read
SELECT f.id
FROM kaireon.decision_flows AS f
WHERE f.tenant_id = kaireon.tenant_id() AND f.key = $1::text AND f.deleted_at IS NULL;
