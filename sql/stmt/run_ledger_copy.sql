-- run_ledger_copy: what was decided for a chunk's customers.
-- params:
-- result: copy_in
-- role: worker
-- access: write
COPY kaireon.campaign_run_results
	(tenant_id, run_month, run_id, customer_id, rank, status, offer_id, channel_id, creative_id, score, error, personalization)
FROM STDIN;
