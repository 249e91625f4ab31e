-- run_pack_insert: a chunk's decisions wait for the volume limits.
-- params: run_id text, chunk int8, decisions bytea
-- result: none
-- role: worker
-- access: write
INSERT INTO kaireon.campaign_run_packs (tenant_id, run_id, chunk, decisions)
VALUES (kaireon.tenant_id(), $1::text, $2::int8, $3::bytea)
ON CONFLICT DO NOTHING;
