-- run_purge: the ledger of runs whose campaign is gone.
-- params: runs jsonb
-- result: none
-- role: worker
-- access: write
DELETE FROM kaireon.campaign_run_results AS l
USING pg_catalog.jsonb_to_recordset($1::jsonb) AS p (id text, month date)
WHERE l.tenant_id = kaireon.tenant_id() AND l.run_month = p.month AND l.run_id = p.id;
