-- audit_verify_copy: rows of the tenant's audit chain, in the order of their numbers.
-- params:
-- result: copy_out
-- role: api, owner, worker
-- access: read
COPY (
	SELECT a.seq, a.id, a.action, a.entity_type, a.entity_id, a.entity_name, a.changes,
	       a.before, a.after, a.actor_id, a.actor_name, a.request_id, a.created_at,
	       a.prev_hash, a.hash
	FROM kaireon.audit_logs AS a
	WHERE a.tenant_id = kaireon.tenant_id()
	  AND a.seq >= kaireon.argument('from_seq')::int8
	  AND a.seq <= kaireon.argument('to_seq')::int8
	ORDER BY a.seq
) TO STDOUT (FORMAT binary);
