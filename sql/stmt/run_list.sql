-- run_list: the newest runs of a campaign; no row: no such campaign.
-- params: campaign_id text
-- result: zero_or_one (document text)
-- role: api
-- access: read
SELECT coalesce((SELECT pg_catalog.json_agg(kaireon.run_document(r.run) ORDER BY (r.run).run_number DESC)
                 FROM (SELECT x AS run FROM kaireon.campaign_runs AS x
                       WHERE x.tenant_id = c.tenant_id AND x.campaign_id = c.id
                       ORDER BY x.run_number DESC LIMIT 50) AS r), '[]')::text
FROM kaireon.campaigns AS c
WHERE c.tenant_id = kaireon.tenant_id() AND c.id = $1::text;
