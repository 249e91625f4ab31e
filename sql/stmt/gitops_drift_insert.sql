-- gitops_drift_insert: the gauge of this check.
-- params: counts jsonb
-- result: none
-- role: worker
-- access: write
INSERT INTO kaireon.gitops_drift (tenant_id, kind, op, resources)
SELECT kaireon.tenant_id(), c.kind, c.op, c.resources
FROM pg_catalog.jsonb_to_recordset($1::jsonb) AS c (kind text, op text, resources bigint);
