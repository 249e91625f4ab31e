-- export_copy: the rows of a batch, in the order of their commits.
-- params:
-- result: copy_out
-- role: worker
-- access: read
COPY (
	WITH a AS MATERIALIZED (
		SELECT kaireon.tenant_id() AS tenant_id,
		       kaireon.argument('from_xid')::xid8 AS from_xid,
		       coalesce(kaireon.argument('from_id'), '') COLLATE "C" AS from_id,
		       kaireon.argument('to_xid')::xid8 AS to_xid,
		       kaireon.argument('to_id') COLLATE "C" AS to_id
	)
	SELECT h.id, h.tenant_id, h.customer_id, h.interaction_type, h.direction, h.outcome,
	       h.offer_id, h.creative_id, h.channel_id, h.campaign_id, h.campaign_run_id,
	       h.recommendation_id, h.rank, h.score, h.conversion_value, h.context,
	       to_char(date_trunc('milliseconds', h.created_at AT TIME ZONE 'UTC'),
	               'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
	FROM a
	JOIN kaireon.interaction_history AS h
	  ON h.tenant_id = a.tenant_id
	 AND (h.commit_xid, h.id) > (a.from_xid, a.from_id)
	 AND (h.commit_xid, h.id) <= (a.to_xid, a.to_id)
	ORDER BY h.commit_xid, h.id
) TO STDOUT;
