-- run_tally: what the chunks of a run add up to.
-- params: run_id text
-- result: one_row (customers int8, dropped_qualification int8, dropped_contact_policy int8, conversion_failures int8, errors int8, allocation jsonb)
-- role: worker
-- access: read
SELECT coalesce(sum(k.customers), 0)::int8, coalesce(sum(k.dropped_qualification), 0)::int8,
       coalesce(sum(k.dropped_contact_policy), 0)::int8,
       coalesce(sum(k.conversion_failures), 0)::int8, coalesce(sum(k.errors), 0)::int8,
       (SELECT r.summary FROM kaireon.campaign_runs AS r
        WHERE r.tenant_id = kaireon.tenant_id() AND r.id = $1::text)
FROM kaireon.campaign_run_chunks AS k
WHERE k.tenant_id = kaireon.tenant_id() AND k.run_id = $1::text;
