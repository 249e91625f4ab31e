-- approval_lock: an approval that is about to be decided, and whether nobody may decide
-- on what he asked for. Whatever the setting is, but false, says that.
-- params: id text
-- result: zero_or_one (status text, entity_type text, entity_id text, entity_name text, action text, requester_id text, payload jsonb, stages jsonb, four_eyes bool)
-- role: api
-- access: write
SELECT a.status, a.entity_type, a.entity_id, a.entity_name, a.action, a.requester_id,
       a.payload, a.stages,
       coalesce((SELECT t.settings #> '{aiAnalyzerSettings,governance,fourEyesEnabled}' NOT IN ('false', 'null')
                 FROM kaireon.tenants AS t
                 WHERE t.tenant_id = a.tenant_id), false)
FROM kaireon.approvals AS a
WHERE a.tenant_id = kaireon.tenant_id() AND a.id = $1::text
FOR UPDATE OF a;
