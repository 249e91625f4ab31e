-- campaign_get: a campaign with its last runs and a page of results of the
-- latest run; or, when the id is a run's, that run.
-- params: id text, results_limit int8, results_cursor text
-- result: zero_or_one (document text)
-- role: api
-- access: read
SELECT CASE WHEN pg_catalog.left($1::text, 5) = 'crun_' THEN
	(SELECT kaireon.run_document(r)::text FROM kaireon.campaign_runs AS r
	 WHERE r.tenant_id = kaireon.tenant_id() AND r.id = $1::text)
ELSE (
	-- the campaign's object with two members more
	SELECT pg_catalog.left(kaireon.campaign_document(c)::text, -1)
		|| ', "campaignRuns" : ' || coalesce((
			SELECT pg_catalog.json_agg(kaireon.run_document(r.run) ORDER BY (r.run).run_number DESC)
			FROM (SELECT x AS run FROM kaireon.campaign_runs AS x
			      WHERE x.tenant_id = c.tenant_id AND x.campaign_id = c.id
			      ORDER BY x.run_number DESC LIMIT 10) AS r)::text, '[]')
		|| ', "results" : ' || coalesce((
			SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
				'customerId', l.customer_id,
				'decisions', l.decisions,
				'status', CASE WHEN l.error IS NOT NULL THEN 'error'
				          WHEN l.nr > 0 THEN 'selected' ELSE 'none' END,
				'error', l.error) ORDER BY l.customer_id)
			FROM (SELECT x.customer_id, max(x.error) AS error,
			             count(*) FILTER (WHERE x.status = 'selected') AS nr,
			             coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
			                 'rank', x.rank, 'offerId', x.offer_id, 'offerName', o.name,
			                 'channelId', x.channel_id, 'channelName', ch.name,
			                 'score', x.score) ORDER BY x.rank)
			                 FILTER (WHERE x.status = 'selected'), '[]') AS decisions
			      FROM (SELECT r.id, r.run_month FROM kaireon.campaign_runs AS r
			            WHERE r.tenant_id = c.tenant_id AND r.campaign_id = c.id
			            ORDER BY r.run_number DESC LIMIT 1) AS latest
			      JOIN kaireon.campaign_run_results AS x
			        ON x.tenant_id = c.tenant_id AND x.run_month = latest.run_month
			       AND x.run_id = latest.id AND x.customer_id > $3::text
			       AND x.customer_id <= coalesce((
			           SELECT max(page.customer_id) FROM (
			               SELECT DISTINCT y.customer_id
			               FROM kaireon.campaign_run_results AS y
			               WHERE y.tenant_id = c.tenant_id AND y.run_month = latest.run_month
			                 AND y.run_id = latest.id AND y.customer_id > $3::text
			               ORDER BY y.customer_id LIMIT $2::int8) AS page), '')
			      LEFT JOIN kaireon.offers AS o
			        ON o.tenant_id = x.tenant_id AND o.id = x.offer_id
			      LEFT JOIN kaireon.channels AS ch
			        ON ch.tenant_id = x.tenant_id AND ch.id = x.channel_id
			      GROUP BY x.customer_id) AS l)::text, '[]') || '}'
	FROM kaireon.campaigns AS c
	WHERE c.tenant_id = kaireon.tenant_id() AND c.id = $1::text)
END;
