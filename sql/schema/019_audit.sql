-- Audit: read in the order of the chain, shown as the API does.

CREATE INDEX audit_logs_chain ON kaireon.audit_logs (tenant_id, seq);
GRANT EXECUTE ON FUNCTION kaireon.argument_set(text, text) TO kaireon_api;

CREATE FUNCTION kaireon.audit_document(id text, seq bigint, action text, entity_type text,
	entity_id text, entity_name text, changes jsonb, before jsonb, after jsonb, actor_id text,
	actor_name text, tenant_id text, request_id text, created_at timestamptz, prev_hash text,
	hash text) RETURNS json
LANGUAGE sql STABLE
RETURN json_build_object('id', id, 'seq', seq, 'action', action, 'entityType', entity_type,
	'entityId', entity_id, 'entityName', entity_name, 'changes', changes,
	'before', before, 'after', after,
	'entityVersion', coalesce(after->'version', before->'version'),
	'userId', actor_id, 'userName', actor_name, 'tenantId', tenant_id,
	'requestId', request_id, 'integrityHash', hash, 'prevHash', prev_hash,
	'timestamp', kaireon.time_text(created_at));
REVOKE ALL ON FUNCTION kaireon.audit_document(text, bigint, text, text, text, text, jsonb, jsonb,
	jsonb, text, text, text, text, timestamptz, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION kaireon.audit_document(text, bigint, text, text, text, text, jsonb, jsonb,
	jsonb, text, text, text, text, timestamptz, text, text) TO kaireon_api;

-- The control of SOC 2 (trust services criteria of 2017) that an action is
-- evidence for.
CREATE FUNCTION kaireon.audit_control(action text) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN CASE
	WHEN action LIKE 'api\_key.%' THEN 'CC6.2'
	WHEN action LIKE 'gdpr.%' THEN 'P4.3'
	WHEN action LIKE 'cleanup%' OR action LIKE 'tenant.reset%' THEN 'C1.2'
	WHEN action LIKE 'retention\_config.%' OR action LIKE 'tenant\_settings.%' THEN 'C1.1'
	WHEN action LIKE 'dlq.%' OR action LIKE 'cache.%' THEN 'CC7.4'
	WHEN action IS NOT NULL THEN 'CC8.1' END;
REVOKE ALL ON FUNCTION kaireon.audit_control(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION kaireon.audit_control(text) TO kaireon_api;
