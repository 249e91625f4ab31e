-- export_copy: the rows of the batch under way, in the order of their commits.
-- params:
-- result: copy_out
-- role: worker
-- access: read
-- The number of rows ends the scan: an index scan does not end at the upper bound
-- of (commit_xid, id), it reads on to the end of the transaction.
COPY (
	SELECT h.id, h.tenant_id, h.customer_id, h.interaction_type, h.direction, h.outcome,
	       h.offer_id, h.creative_id, h.channel_id, h.campaign_id, h.campaign_run_id,
	       h.recommendation_id, h.rank, h.score, h.conversion_value, h.context,
	       h.created_at
	FROM kaireon.interaction_history AS h
	WHERE h.tenant_id = kaireon.tenant_id()
	  AND (h.commit_xid, h.id) > (
		SELECT p.commit_xid, p.id
		FROM kaireon.export_checkpoints AS p
		WHERE p.tenant_id = kaireon.tenant_id() AND p.stream = 'interaction_history')
	  AND (h.commit_xid, h.id) <= (
		SELECT p.intent_commit_xid, p.intent_id
		FROM kaireon.export_checkpoints AS p
		WHERE p.tenant_id = kaireon.tenant_id() AND p.stream = 'interaction_history')
	ORDER BY h.commit_xid, h.id
	LIMIT kaireon.argument('rows')::int8
) TO STDOUT;
