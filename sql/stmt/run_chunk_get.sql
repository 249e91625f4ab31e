-- run_chunk_get: a chunk that is still to be decided.
-- params: run_id text, chunk int8
-- result: zero_or_one (low text, high text, customers int8)
-- role: worker
-- access: read
SELECT k.low, k.high, k.customers
FROM kaireon.campaign_run_chunks AS k
WHERE k.tenant_id = kaireon.tenant_id() AND k.run_id = $1::text AND k.chunk = $2::int8
  AND k.done_at IS NULL;
