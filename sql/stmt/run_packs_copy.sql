-- run_packs_copy: the decisions of a run that wait for the volume limits.
-- params:
-- result: copy_out
-- role: worker
-- access: read
COPY (
	SELECT p.chunk, p.decisions
	FROM kaireon.campaign_run_packs AS p
	WHERE p.tenant_id = kaireon.tenant_id() AND p.run_id = kaireon.argument('run_id')
	ORDER BY p.chunk
) TO STDOUT (FORMAT binary);
