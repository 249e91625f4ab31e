-- Flows: their document, and a row version that every change moves.

-- By whatever way a flow is changed: who writes with an old rowVersion is refused.
CREATE FUNCTION kaireon.row_version_next() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	NEW.row_version := OLD.row_version + 1;
	RETURN NEW;
END
$$;
CREATE TRIGGER row_version_next BEFORE UPDATE ON kaireon.decision_flows
	FOR EACH ROW EXECUTE FUNCTION kaireon.row_version_next();

-- The last versions only: a flow may have thousands, which have a list of their own.
CREATE FUNCTION kaireon.flow_document(f kaireon.decision_flows) RETURNS json
LANGUAGE sql STABLE
RETURN json_build_object(
	'id', f.id, 'tenantId', f.tenant_id, 'key', f.key, 'name', f.name,
	'description', f.description, 'status', f.status,
	'autoAssembly', f.auto_assembly, 'isDefault', f.is_default,
	'couplingOverride', f.coupling_override, 'draftConfig', f.draft_config,
	'publishedVersions', coalesce((
		SELECT json_agg(json_build_object(
			'version', v.version, 'publishedAt', kaireon.time_text(v.published_at),
			'notes', v.notes) ORDER BY v.version DESC)
		FROM (SELECT w.* FROM kaireon.decision_flow_versions AS w
		      WHERE w.tenant_id = f.tenant_id AND w.flow_id = f.id
		      ORDER BY w.version DESC LIMIT 20) AS v), '[]'),
	'rowVersion', f.row_version,
	'createdAt', kaireon.time_text(f.created_at),
	'updatedAt', kaireon.time_text(f.updated_at));

GRANT EXECUTE ON FUNCTION kaireon.flow_document(kaireon.decision_flows) TO kaireon_api;
