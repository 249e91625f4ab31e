-- flow_published: the version that a flow decides with.
-- params: id text
-- result: one_row (version int8)
-- role: api
-- access: read
SELECT f.published_version
FROM kaireon.decision_flows AS f
WHERE f.tenant_id = kaireon.tenant_id() AND f.id = $1::text;
