-- flow_publish: freeze the drafts of flows as their next versions.
-- params: ids text[], actor text, notes text
-- result: none
-- role: api, owner
-- access: write
WITH made AS (
	INSERT INTO kaireon.decision_flow_versions (tenant_id, flow_id, version, config, published_by, notes)
	SELECT f.tenant_id, f.id,
	       coalesce((SELECT max(v.version) FROM kaireon.decision_flow_versions AS v
	                 WHERE v.tenant_id = f.tenant_id AND v.flow_id = f.id), 0) + 1,
	       f.draft_config, $2::text, $3::text
	FROM kaireon.decision_flows AS f
	WHERE f.tenant_id = kaireon.tenant_id() AND f.id = ANY ($1::text[])
	RETURNING flow_id, version
)
UPDATE kaireon.decision_flows AS f
SET published_version = m.version,
    -- who publishes a draft means it to be used
    status = CASE f.status WHEN 'draft' THEN 'active' ELSE f.status END
FROM made AS m
WHERE f.tenant_id = kaireon.tenant_id() AND f.id = m.flow_id;
