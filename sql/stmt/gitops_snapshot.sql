-- gitops_snapshot: what drift is measured against.
-- params:
-- result: zero_or_one (revision int8, bundle jsonb, drift_hash text)
-- role: api, worker, owner
-- access: read
SELECT s.revision, s.bundle, s.drift_hash
FROM kaireon.gitops_snapshots AS s
WHERE s.tenant_id = kaireon.tenant_id();
