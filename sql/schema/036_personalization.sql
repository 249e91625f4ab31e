-- What a flow computes for a decision, in the ledger.

-- json, not jsonb: numbers stay as they were written
ALTER TABLE kaireon.campaign_run_results ADD COLUMN personalization json;
