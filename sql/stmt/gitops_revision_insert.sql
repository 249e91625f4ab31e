-- gitops_revision_insert: the next revision: the epoch moves, the configuration as it
-- is now is kept, and it is what drift is measured against.
-- params: actor text, summary jsonb, audit_id text, bundle jsonb
-- result: one_row (revision int8)
-- role: api, owner
-- access: write
WITH moved AS (
	UPDATE kaireon.config_epochs AS e
	SET epoch = e.epoch + 1, revision = e.revision + 1, changed_at = pg_catalog.now()
	WHERE e.tenant_id = kaireon.tenant_id()
	RETURNING e.tenant_id, e.revision
), kept AS (
	INSERT INTO kaireon.gitops_revisions (tenant_id, revision, actor, summary, audit_id, bundle)
	SELECT m.tenant_id, m.revision, $1::text, $2::jsonb, $3::text, $4::jsonb FROM moved AS m
), snapshot AS (
	INSERT INTO kaireon.gitops_snapshots (tenant_id, revision, bundle, actor)
	SELECT m.tenant_id, m.revision, NULL, $1::text FROM moved AS m
	ON CONFLICT (tenant_id) DO UPDATE
	SET revision = excluded.revision, bundle = excluded.bundle,
	    actor = excluded.actor, taken_at = pg_catalog.now(), drift_hash = ''
)
SELECT m.revision FROM moved AS m;
