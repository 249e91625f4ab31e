-- campaign_next_run: when a campaign, whose row is locked, runs next; NULL: never.
-- params: id text, next_run_at timestamptz
-- result: none
-- role: worker
-- access: write
UPDATE kaireon.campaigns AS c
SET next_run_at = $2::timestamptz
WHERE c.tenant_id = kaireon.tenant_id() AND c.id = $1::text;
