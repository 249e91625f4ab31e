-- run_pack_give: what the volume limits gave of a chunk.
-- params: run_id text, chunk int8, given bytea
-- result: none
-- role: worker
-- access: write
UPDATE kaireon.campaign_run_packs AS p
SET given = $3::bytea
WHERE p.tenant_id = kaireon.tenant_id() AND p.run_id = $1::text AND p.chunk = $2::int8;
