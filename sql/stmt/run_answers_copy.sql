-- run_answers_copy: the interactions of a chunk's customers that had one of the
-- outcomes asked for before the run was planned, as run_contacts_copy.
-- params:
-- result: copy_out
-- role: worker
-- access: read
COPY (
	WITH w AS MATERIALIZED (
		SELECT kaireon.tenant_id() AS tenant_id,
		       kaireon.argument('low') COLLATE "C" AS low,
		       kaireon.argument('high') COLLATE "C" AS high,
		       kaireon.argument('ceiling')::xid8 AS ceiling,
		       pg_catalog.string_to_array(kaireon.argument('creatives'), pg_catalog.chr(31)) AS creatives,
		       pg_catalog.string_to_array(kaireon.argument('campaigns'), pg_catalog.chr(31)) AS campaigns,
		       pg_catalog.string_to_array(kaireon.argument('outcomes'), pg_catalog.chr(31)) AS outcomes,
		       kaireon.argument('window_0')::timestamptz AS w0,
		       kaireon.argument('window_1')::timestamptz AS w1,
		       kaireon.argument('window_2')::timestamptz AS w2,
		       kaireon.argument('window_3')::timestamptz AS w3,
		       kaireon.argument('window_4')::timestamptz AS w4,
		       kaireon.argument('window_5')::timestamptz AS w5,
		       kaireon.argument('window_6')::timestamptz AS w6,
		       kaireon.argument('window_7')::timestamptz AS w7,
		       kaireon.argument('window_8')::timestamptz AS w8,
		       kaireon.argument('window_9')::timestamptz AS w9,
		       kaireon.argument('window_10')::timestamptz AS w10,
		       kaireon.argument('window_11')::timestamptz AS w11,
		       kaireon.argument('window_12')::timestamptz AS w12,
		       kaireon.argument('window_13')::timestamptz AS w13,
		       kaireon.argument('window_14')::timestamptz AS w14,
		       kaireon.argument('window_15')::timestamptz AS w15
	)
	SELECT h.customer_id, h.offer_id, h.channel_id,
	       CASE WHEN h.creative_id = ANY (w.creatives) THEN h.creative_id END,
	       CASE WHEN h.campaign_id = ANY (w.campaigns) THEN h.campaign_id END,
	       h.outcome,
	       (extract(epoch FROM max(h.created_at)) * 1000000)::int8,
	       count(*) FILTER (WHERE h.created_at >= w.w0),
	       count(*) FILTER (WHERE h.created_at >= w.w1),
	       count(*) FILTER (WHERE h.created_at >= w.w2),
	       count(*) FILTER (WHERE h.created_at >= w.w3),
	       count(*) FILTER (WHERE h.created_at >= w.w4),
	       count(*) FILTER (WHERE h.created_at >= w.w5),
	       count(*) FILTER (WHERE h.created_at >= w.w6),
	       count(*) FILTER (WHERE h.created_at >= w.w7),
	       count(*) FILTER (WHERE h.created_at >= w.w8),
	       count(*) FILTER (WHERE h.created_at >= w.w9),
	       count(*) FILTER (WHERE h.created_at >= w.w10),
	       count(*) FILTER (WHERE h.created_at >= w.w11),
	       count(*) FILTER (WHERE h.created_at >= w.w12),
	       count(*) FILTER (WHERE h.created_at >= w.w13),
	       count(*) FILTER (WHERE h.created_at >= w.w14),
	       count(*) FILTER (WHERE h.created_at >= w.w15)
	FROM w
	JOIN kaireon.interaction_history AS h
	  ON h.tenant_id = w.tenant_id
	 AND h.customer_id >= w.low AND h.customer_id <= w.high
	WHERE h.outcome IS NOT NULL AND h.outcome = ANY (w.outcomes)
	  AND h.commit_xid < w.ceiling
	GROUP BY h.customer_id, h.offer_id, h.channel_id, 4, 5, h.outcome
	ORDER BY h.customer_id, h.offer_id, h.channel_id
) TO STDOUT;
