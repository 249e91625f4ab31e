-- run_counts: how many each offer and channel would get without limits.
-- params: run_id text
-- result: rows (offer_id text, channel_id text, nr int8)
-- role: worker
-- access: read
SELECT l.offer_id, l.channel_id, count(*)
FROM kaireon.campaign_runs AS r
JOIN kaireon.campaign_run_results AS l
  ON l.tenant_id = r.tenant_id AND l.run_month = r.run_month AND l.run_id = r.id
WHERE r.tenant_id = kaireon.tenant_id() AND r.id = $1::text AND l.status = 'selected'
GROUP BY l.offer_id, l.channel_id
ORDER BY l.offer_id, l.channel_id;
