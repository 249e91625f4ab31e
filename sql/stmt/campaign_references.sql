-- campaign_references: the flows and channels that campaigns use.
-- params:
-- result: rows (object_id text, campaign_name text)
-- role: api, owner
-- access: read
SELECT c.decision_flow_id, c.name
FROM kaireon.campaigns AS c
WHERE c.tenant_id = kaireon.tenant_id() AND c.status <> 'archived'
UNION ALL
SELECT a.id, c.name
FROM kaireon.campaigns AS c, pg_catalog.jsonb_array_elements_text(c.channel_ids) AS a (id)
WHERE c.tenant_id = kaireon.tenant_id() AND c.status <> 'archived'
ORDER BY 1, 2;
