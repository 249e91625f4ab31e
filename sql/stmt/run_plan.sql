-- run_plan: fix what the run decides with.
-- params: id text, now timestamptz, ceiling xid8, config jsonb, revision int8, customers int8
-- result: one_row (chunks int8)
-- role: worker
-- access: write
UPDATE kaireon.campaign_runs AS r
SET status = 'running', step = CASE WHEN $6::int8 = 0 THEN 'finish' ELSE 'decide' END, started_at = pg_catalog.clock_timestamp(),
    planned_now = $2::timestamptz,
    run_month = pg_catalog.date_trunc('month', $2::timestamptz AT TIME ZONE 'UTC')::date,
    xid_ceiling = $3::xid8,
    -- the campaign may be given another segment while the run is under way
    config = $4::jsonb || pg_catalog.jsonb_build_object('segmentId', coalesce(r.segment_id, (
        SELECT c.segment_id FROM kaireon.campaigns AS c
        WHERE c.tenant_id = r.tenant_id AND c.id = r.campaign_id))),
    config_revision = $5::int8,
    customers = $6::int8,
    chunks = (SELECT count(*) FROM kaireon.campaign_run_chunks AS k
              WHERE k.tenant_id = r.tenant_id AND k.run_id = r.id)
WHERE r.tenant_id = kaireon.tenant_id() AND r.id = $1::text
RETURNING r.chunks;
