-- gitops_snapshot: what drift is measured against.
-- params:
-- result: zero_or_one (revision int8, bundle jsonb, drift_hash text)
-- role: api, worker, owner
-- access: read
SELECT s.revision, coalesce(s.bundle, r.bundle), s.drift_hash
FROM kaireon.gitops_snapshots AS s
LEFT JOIN kaireon.gitops_revisions AS r ON r.tenant_id = s.tenant_id AND r.revision = s.revision
WHERE s.tenant_id = kaireon.tenant_id();
