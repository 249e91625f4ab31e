-- flow_version_get: what publishing froze.
-- params: id text, version int8
-- result: zero_or_one (document text)
-- role: api
-- access: read
SELECT pg_catalog.json_build_object(
	'flowId', v.flow_id, 'version', v.version,
	'publishedAt', kaireon.time_text(v.published_at),
	'publishedBy', v.published_by, 'notes', v.notes, 'config', v.config)::text
FROM kaireon.decision_flow_versions AS v
JOIN kaireon.decision_flows AS f ON f.tenant_id = v.tenant_id AND f.id = v.flow_id
WHERE v.tenant_id = kaireon.tenant_id() AND v.flow_id = $1::text AND v.version = $2::int8
  AND f.deleted_at IS NULL;
