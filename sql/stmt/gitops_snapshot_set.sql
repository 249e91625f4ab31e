-- gitops_snapshot_set: another snapshot; what drifted from the old one is told anew.
-- params: actor text, bundle jsonb
-- result: one_row (revision int8)
-- role: api, owner
-- access: write
INSERT INTO kaireon.gitops_snapshots AS s (tenant_id, revision, bundle, actor)
SELECT e.tenant_id, e.revision, $2::jsonb, $1::text
FROM kaireon.config_epochs AS e
WHERE e.tenant_id = kaireon.tenant_id()
ON CONFLICT (tenant_id) DO UPDATE
SET revision = excluded.revision, bundle = excluded.bundle, actor = excluded.actor,
    taken_at = pg_catalog.now(), drift_hash = ''
RETURNING s.revision;
