-- run_month_ensure: the ledger's and the interactions' partition of a moment.
-- params: at timestamptz
-- result: none
-- role: worker
-- access: write
SELECT FROM (SELECT kaireon.partition_ensure(p.parent, ($1::timestamptz AT TIME ZONE 'UTC')::date)
FROM (VALUES ('campaign_run_results'), ('interaction_history')) AS p (parent) OFFSET 0) AS made;
