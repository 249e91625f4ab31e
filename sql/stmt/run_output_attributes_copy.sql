-- run_output_attributes_copy: the same, with attributes of the customers.
-- params:
-- result: copy_out
-- role: worker
-- access: read
-- identifiers: space, view, columns...
COPY (
	SELECT l.customer_id, l.rank, l.offer_id, l.channel_id, l.score, l.creative_id, l.personalization, {s.columns...}
	FROM kaireon.campaign_run_results AS l
	LEFT JOIN {space}.{view} AS s ON s.customer_id = l.customer_id
	WHERE l.tenant_id = kaireon.tenant_id()
	  AND l.run_month = kaireon.argument('run_month')::date
	  AND l.run_id = kaireon.argument('run_id') AND l.status = 'selected'
	ORDER BY l.customer_id, l.rank
) TO STDOUT;
