-- gitops_drift_told: the audit log knows of this drift.
-- params: hash text
-- result: none
-- role: worker
-- access: write
UPDATE kaireon.gitops_snapshots AS s
SET drift_hash = $1::text
WHERE s.tenant_id = kaireon.tenant_id();
