-- audit_insert: a row of the audit chain, and its new end.
-- params: id text, seq int8, action text, entity_type text, entity_id text, entity_name text, changes jsonb, before jsonb, after jsonb, actor_id text, actor_name text, request_id text, created_at timestamptz, prev_hash text, hash text
-- result: none
-- role: api, worker, owner
-- access: write
WITH head AS (
	UPDATE kaireon.audit_heads AS h
	SET seq = $2::int8, hash = $15::text
	WHERE h.tenant_id = kaireon.tenant_id()
)
INSERT INTO kaireon.audit_logs (tenant_id, id, seq, action, entity_type, entity_id,
	entity_name, changes, before, after, actor_id, actor_name, request_id,
	created_at, prev_hash, hash)
SELECT kaireon.tenant_id(), $1::text, $2::int8, $3::text, $4::text, $5::text, $6::text,
       $7::jsonb, $8::jsonb, $9::jsonb, $10::text, $11::text, $12::text,
       $13::timestamptz, $14::text, $15::text;
