-- run_allocation_copy: what the volume limits gave of each chunk.
-- params:
-- result: copy_in
-- role: worker
-- access: write
COPY kaireon.campaign_run_allocations (tenant_id, run_id, chunk, given) FROM STDIN;
