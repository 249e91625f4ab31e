-- gitops_revision_list: the last revisions, newest first, and how many there are.
-- params: limit int8
-- result: one_row (document text)
-- role: api, owner
-- access: read
SELECT pg_catalog.json_build_object(
	'revisions', coalesce((
		SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
			'revision', r.revision, 'appliedAt', kaireon.time_text(r.applied_at),
			'actor', r.actor, 'summary', r.summary, 'auditId', r.audit_id)
			ORDER BY r.revision DESC)
		FROM (SELECT g.* FROM kaireon.gitops_revisions AS g
		      WHERE g.tenant_id = kaireon.tenant_id()
		      ORDER BY g.revision DESC LIMIT $1::int8) AS r), '[]'),
	'total', (SELECT count(*) FROM kaireon.gitops_revisions AS g
	          WHERE g.tenant_id = kaireon.tenant_id()))::text;
