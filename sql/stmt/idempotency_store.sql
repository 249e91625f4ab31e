-- idempotency_store: the answer, for whoever repeats the call.
-- params: method text, path text, key text, role text, status int8, content_type text, response text
-- result: none
-- role: api, worker
-- access: write
UPDATE kaireon.idempotency_keys AS k
SET role = $4::text, status = $5::int8, content_type = $6::text, response = $7::text
WHERE k.tenant_id = kaireon.tenant_id() AND k.method = $1::text AND k.path = $2::text
  AND k.key = $3::text;
