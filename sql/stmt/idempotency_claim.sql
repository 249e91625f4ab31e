-- idempotency_claim: the row of an Idempotency-Key, before the effect: a second call
-- waits here for the first. Fresh: the effect is this transaction's to make.
-- params: method text, path text, key text, request_hash bytea
-- result: one_row (fresh bool, same bool, role text, status int8, content_type text, response text)
-- role: api, worker
-- access: write
INSERT INTO kaireon.idempotency_keys AS k (tenant_id, method, path, key, request_hash)
SELECT kaireon.tenant_id(), $1::text, $2::text, $3::text, $4::bytea
ON CONFLICT (tenant_id, method, path, key) DO UPDATE
SET (request_hash, status, created_at) = (
	SELECT CASE WHEN old.is_over THEN excluded.request_hash ELSE k.request_hash END,
	       CASE WHEN old.is_over THEN NULL ELSE k.status END,
	       CASE WHEN old.is_over THEN excluded.created_at ELSE k.created_at END
	FROM (SELECT k.created_at < pg_catalog.now() - interval '24 hours' AS is_over) AS old)
RETURNING k.status IS NULL, k.request_hash = $4::bytea, k.role, k.status::int8, k.content_type,
	CASE WHEN k.status IS NOT NULL THEN k.response END;
