-- run_interactions: each decision of a run is one interaction. The ids follow from the
-- decision, so that nothing can be inserted twice.
-- params: run_id text
-- result: none
-- role: worker
-- access: write
INSERT INTO kaireon.interaction_history (tenant_id, id, customer_id, interaction_type,
	direction, offer_id, creative_id, channel_id, campaign_id, campaign_run_id,
	rank, score, created_at)
SELECT l.tenant_id,
       kaireon.id_derive('ih', r.time_part, l.run_id || '/' || l.customer_id || '/' || l.rank),
       l.customer_id, 'impression', 'outbound', l.offer_id, l.creative_id, l.channel_id,
       r.campaign_id, l.run_id, l.rank, l.score, r.planned_now
FROM (SELECT x.tenant_id, x.id, x.campaign_id, x.run_month, x.planned_now,
             kaireon.id_time(x.planned_now) AS time_part
      FROM kaireon.campaign_runs AS x
      WHERE x.tenant_id = kaireon.tenant_id() AND x.id = $1::text
      OFFSET 0) AS r
JOIN kaireon.campaign_run_results AS l
  ON l.tenant_id = r.tenant_id AND l.run_month = r.run_month AND l.run_id = r.id
WHERE l.status = 'selected';
