-- gitops_revision_get: the configuration as a revision left it.
-- params: revision int8
-- result: zero_or_one (bundle jsonb)
-- role: api, owner
-- access: read
SELECT r.bundle
FROM kaireon.gitops_revisions AS r
WHERE r.tenant_id = kaireon.tenant_id() AND r.revision = $1::int8;
