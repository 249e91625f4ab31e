-- approval_decide: a stage is decided, and with the last one the approval.
-- params: id text, status text, entity_id text, stage text[], decision text, approver_id text, approver_name text, comments text
-- result: one_row (document text)
-- role: api
-- access: write
WITH decided AS (
	UPDATE kaireon.approvals AS a
	SET status = $2::text, entity_id = coalesce($3::text, a.entity_id),
	    stages = pg_catalog.jsonb_set(a.stages, $4::text[], (a.stages #> $4::text[])
		|| pg_catalog.jsonb_build_object('status', $5::text, 'approverId', $6::text,
			'approverName', $7::text, 'comments', $8::text,
			'decidedAt', kaireon.time_text(pg_catalog.now()))),
	    approver_id = CASE WHEN $2::text <> 'pending' THEN $6::text END,
	    approver_name = CASE WHEN $2::text <> 'pending' THEN $7::text END,
	    comments = CASE WHEN $2::text <> 'pending' THEN $8::text END,
	    decided_at = CASE WHEN $2::text <> 'pending' THEN pg_catalog.now() END,
	    updated_at = pg_catalog.now()
	WHERE a.tenant_id = kaireon.tenant_id() AND a.id = $1::text
	RETURNING a.*
)
SELECT kaireon.approval_document(d::kaireon.approvals)::text FROM decided AS d;
