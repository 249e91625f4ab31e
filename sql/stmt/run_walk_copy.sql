-- run_walk_copy: all candidates in the order in which limits are given out: the
-- smallest score among a candidate and those before it, then customer, rank.
-- params:
-- result: copy_out
-- role: worker
-- access: read
COPY (
	SELECT c.customer, c.customer_id, c.rank, c.offer_id, c.channel_id, c.status
	FROM (SELECT l.customer_id, l.rank, l.offer_id, l.channel_id, l.status,
	             dense_rank() OVER (ORDER BY l.customer_id) - 1 AS customer,
	             min(l.score) OVER (PARTITION BY l.customer_id ORDER BY l.rank) AS key
	      FROM kaireon.campaign_run_results AS l
	      WHERE l.tenant_id = kaireon.tenant_id()
	        AND l.run_month = kaireon.argument('run_month')::date
	        AND l.run_id = kaireon.argument('run_id') AND l.rank > 0) AS c
	ORDER BY c.key DESC, c.customer, c.rank
) TO STDOUT;
