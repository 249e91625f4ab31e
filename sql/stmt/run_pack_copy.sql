-- run_pack_copy: the decisions of chunks that wait for the volume limits.
-- params:
-- result: copy_in
-- role: worker
-- access: write
COPY kaireon.campaign_run_packs (tenant_id, run_id, chunk, decisions) FROM STDIN;
