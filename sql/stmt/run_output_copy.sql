-- run_output_copy: the decisions of a run in the order of its file.
-- params:
-- result: copy_out
-- role: worker
-- access: read
COPY (
	SELECT l.customer_id, l.rank, l.offer_id, l.channel_id, l.score, l.creative_id, l.personalization
	FROM kaireon.campaign_run_results AS l
	WHERE l.tenant_id = kaireon.tenant_id()
	  AND l.run_month = kaireon.argument('run_month')::date
	  AND l.run_id = kaireon.argument('run_id') AND l.status = 'selected'
	ORDER BY l.customer_id, l.rank
) TO STDOUT;
