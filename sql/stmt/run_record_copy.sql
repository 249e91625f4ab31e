-- run_record_copy: a chunk's decisions and what was given of them.
-- params:
-- result: copy_out
-- role: worker
-- access: read
COPY (
	SELECT p.decisions, a.given
	FROM kaireon.campaign_run_packs AS p
	JOIN kaireon.campaign_run_allocations AS a
	  ON a.tenant_id = p.tenant_id AND a.run_id = p.run_id AND a.chunk = p.chunk
	WHERE p.tenant_id = kaireon.tenant_id() AND p.run_id = kaireon.argument('run_id')
	  AND p.chunk = kaireon.argument('chunk')::bigint
) TO STDOUT (FORMAT binary);
