-- export_copy: the rows of a batch, in the order of their commits.
-- params:
-- result: copy_out
-- role: worker
-- access: read
-- The number of rows ends the scan: an index scan does not end at the upper bound
-- of (commit_xid, id), it reads on to the end of the transaction. The bounds stand
-- in subqueries so that the plan does not follow from their values: one transaction
-- may have written all rows, and then statistics promise none behind it.
COPY (
	SELECT h.id, h.tenant_id, h.customer_id, h.interaction_type, h.direction, h.outcome,
	       h.offer_id, h.creative_id, h.channel_id, h.campaign_id, h.campaign_run_id,
	       h.recommendation_id, h.rank, h.score, h.conversion_value, h.context,
	       h.created_at
	FROM (SELECT r.*
	      FROM kaireon.interaction_history AS r
	      WHERE r.tenant_id = kaireon.tenant_id()
	        AND (r.commit_xid, r.id) > ((SELECT kaireon.argument('from_xid')::xid8),
	                                    (SELECT coalesce(kaireon.argument('from_id'), '') COLLATE "C"))
	      ORDER BY r.commit_xid, r.id
	      LIMIT kaireon.argument('rows')::int8) AS h
	WHERE (h.commit_xid, h.id) <= ((SELECT kaireon.argument('to_xid')::xid8),
	                               (SELECT kaireon.argument('to_id') COLLATE "C"))
	ORDER BY h.commit_xid, h.id
) TO STDOUT;
