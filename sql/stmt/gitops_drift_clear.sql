-- gitops_drift_clear: the gauge of the last check.
-- params:
-- result: none
-- role: worker
-- access: write
DELETE FROM kaireon.gitops_drift AS d
WHERE d.tenant_id = kaireon.tenant_id();
