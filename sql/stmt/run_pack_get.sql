-- run_pack_get: a chunk's decisions and what was given of them.
-- params: run_id text, chunk int8
-- result: zero_or_one (decisions bytea, given bytea)
-- role: worker
-- access: read
SELECT p.decisions, p.given
FROM kaireon.campaign_run_packs AS p
WHERE p.tenant_id = kaireon.tenant_id() AND p.run_id = $1::text AND p.chunk = $2::int8
  AND p.given IS NOT NULL;
