-- flow_get: a flow.
-- params: id text
-- result: zero_or_one (document text)
-- role: api
-- access: read
SELECT kaireon.flow_document(f)::text
FROM kaireon.decision_flows AS f
WHERE f.tenant_id = kaireon.tenant_id() AND f.id = $1::text AND f.deleted_at IS NULL;
