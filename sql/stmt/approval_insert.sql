-- approval_insert: an approval is asked for.
-- params: id text, entity_type text, entity_id text, entity_name text, action text, payload jsonb, stages jsonb, requester_id text, requester_name text
-- result: one_row (document text)
-- role: api
-- access: write
WITH made AS (
	INSERT INTO kaireon.approvals (tenant_id, id, entity_type, entity_id, entity_name, action,
		payload, stages, requester_id, requester_name)
	VALUES (kaireon.tenant_id(), $1::text, $2::text, $3::text, $4::text, $5::text,
		$6::jsonb, $7::jsonb, $8::text, $9::text)
	RETURNING approvals.*
)
SELECT kaireon.approval_document(m::kaireon.approvals)::text FROM made AS m;
