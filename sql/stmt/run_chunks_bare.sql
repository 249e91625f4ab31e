-- run_chunks_bare: are there chunks that are decided and not packed?
-- params: run_id text
-- result: one_row (bare bool)
-- role: worker
-- access: read
SELECT EXISTS (
	SELECT FROM kaireon.campaign_run_chunks AS k
	WHERE k.tenant_id = kaireon.tenant_id() AND k.run_id = $1::text AND k.done_at IS NOT NULL
	  AND NOT EXISTS (SELECT FROM kaireon.campaign_run_packs AS p
	                  WHERE p.tenant_id = k.tenant_id AND p.run_id = k.run_id AND p.chunk = k.chunk));
