-- campaign_lock: a campaign that is about to get a run.
-- params: id text
-- result: zero_or_one (status text, flow_id text, segment_id text, channel_ids jsonb, open_run bool)
-- role: api, worker
-- access: write
SELECT c.status, c.decision_flow_id, c.segment_id, c.channel_ids,
       EXISTS (SELECT FROM kaireon.campaign_runs AS r
               WHERE r.tenant_id = c.tenant_id AND r.campaign_id = c.id
                 AND r.status IN ('pending', 'running', 'paused'))
FROM kaireon.campaigns AS c
WHERE c.tenant_id = kaireon.tenant_id() AND c.id = $1::text
FOR UPDATE OF c;
