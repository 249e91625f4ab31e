-- run_inline_find: what an inline execution names: a campaign or a run, a flow, a segment's view.
-- params: id text, flow_id text, view_name text
-- result: one_row (campaign_id text, run_status text, run_campaign_id text, flow_id text, flow_published bool, segment_id text)
-- role: worker
-- access: write
SELECT (SELECT c.id FROM kaireon.campaigns AS c
        WHERE c.tenant_id = kaireon.tenant_id() AND c.id = $1::text),
       (SELECT r.status FROM kaireon.campaign_runs AS r
        WHERE r.tenant_id = kaireon.tenant_id() AND r.id = $1::text),
       (SELECT r.campaign_id FROM kaireon.campaign_runs AS r
        WHERE r.tenant_id = kaireon.tenant_id() AND r.id = $1::text),
       (SELECT f.id FROM kaireon.decision_flows AS f
        WHERE f.tenant_id = kaireon.tenant_id() AND f.id = $2::text AND f.deleted_at IS NULL),
       (SELECT f.published_version IS NOT NULL FROM kaireon.decision_flows AS f
        WHERE f.tenant_id = kaireon.tenant_id() AND f.id = $2::text AND f.deleted_at IS NULL),
       (SELECT s.id FROM kaireon.segments AS s
        WHERE s.tenant_id = kaireon.tenant_id() AND s.view_name = $3::text);
