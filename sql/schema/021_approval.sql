-- Approvals: asked for, decided stage by stage, expired.

-- by tenant and status, newest first; what waits, oldest first; and who has any
CREATE INDEX approvals_list ON kaireon.approvals (tenant_id, status, id);
CREATE INDEX approvals_due ON kaireon.approvals (tenant_id, created_at)
	WHERE status = 'pending';
ALTER TABLE kaireon.approvals ADD COLUMN decided_at timestamptz;

CREATE FUNCTION kaireon.approval_document(a kaireon.approvals) RETURNS json
LANGUAGE sql STABLE
RETURN json_build_object(
	'id', a.id, 'entityType', a.entity_type, 'entityId', a.entity_id,
	'entityName', a.entity_name, 'action', a.action, 'status', a.status,
	'requesterId', a.requester_id, 'requesterName', a.requester_name,
	'payload', a.payload, 'stages', a.stages,
	'approverId', a.approver_id, 'approverName', a.approver_name,
	'comments', a.comments, 'createdAt', kaireon.time_text(a.created_at),
	'decidedAt', kaireon.time_text(a.decided_at));

GRANT EXECUTE ON FUNCTION kaireon.approval_document(kaireon.approvals) TO kaireon_api;
GRANT SELECT, INSERT ON kaireon.approvals TO kaireon_api;
GRANT UPDATE (status, entity_id, stages, approver_id, approver_name, comments, decided_at,
	updated_at) ON kaireon.approvals TO kaireon_api;
GRANT UPDATE (status, decided_at, updated_at) ON kaireon.approvals TO kaireon_worker;
