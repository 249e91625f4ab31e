-- export_verify_copy: all rows that were exported, in the order of the files.
-- params:
-- result: copy_out
-- role: owner, worker
-- access: read
COPY (
	SELECT h.commit_xid, h.id, h.tenant_id, h.customer_id, h.interaction_type, h.direction,
	       h.outcome, h.offer_id, h.creative_id, h.channel_id, h.campaign_id,
	       h.campaign_run_id, h.recommendation_id, h.rank, h.score, h.conversion_value,
	       h.context, h.created_at
	FROM kaireon.interaction_history AS h
	WHERE h.tenant_id = kaireon.tenant_id()
	  AND (h.commit_xid, h.id) <= ((SELECT kaireon.argument('to_xid')::xid8),
	                               (SELECT kaireon.argument('to_id') COLLATE "C"))
	ORDER BY h.commit_xid, h.id
) TO STDOUT;
