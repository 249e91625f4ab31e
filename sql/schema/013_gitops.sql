-- GitOps: who changed an object last, keys that may be exchanged, what drifted.

-- By whatever way an object is changed, it says by whom: the actor and audit
-- row that the transaction names, else the database role.
CREATE FUNCTION kaireon.change_note() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	NEW.changed_by := coalesce(nullif(current_setting('kaireon.actor', true), ''),
	                           session_user::text);
	NEW.changed_audit_id := nullif(current_setting('kaireon.audit_id', true), '');
	IF TG_OP = 'UPDATE' THEN
		NEW.updated_at := now();
	END IF;
	RETURN NEW;
END
$$;

DO $$
DECLARE
	kind text;
BEGIN
	FOREACH kind IN ARRAY ARRAY['categories', 'sub_categories', 'channels', 'offers', 'creatives',
		'qualification_rules', 'contact_policies', 'ranking_profiles', 'decision_flows']
	LOOP
		EXECUTE format('ALTER TABLE kaireon.%I ADD COLUMN changed_by text NOT NULL DEFAULT %L, '
		               'ADD COLUMN changed_audit_id text COLLATE "C"', kind, '');
		EXECUTE format('CREATE TRIGGER change_note BEFORE INSERT OR UPDATE ON kaireon.%I '
		               'FOR EACH ROW EXECUTE FUNCTION kaireon.change_note()', kind);
	END LOOP;
END
$$;

-- Unique at the end of a transaction, not row by row: one apply may exchange
-- the keys of two flows, or make another flow the default.
DROP INDEX kaireon.ranking_profiles_key;
ALTER TABLE kaireon.ranking_profiles ADD CONSTRAINT ranking_profiles_key
	EXCLUDE (tenant_id WITH =, key WITH =) WHERE (deleted_at IS NULL)
	DEFERRABLE INITIALLY DEFERRED;
DROP INDEX kaireon.decision_flows_key;
ALTER TABLE kaireon.decision_flows ADD CONSTRAINT decision_flows_key
	EXCLUDE (tenant_id WITH =, key WITH =) WHERE (deleted_at IS NULL)
	DEFERRABLE INITIALLY DEFERRED;
DROP INDEX kaireon.decision_flows_default;
ALTER TABLE kaireon.decision_flows ADD CONSTRAINT decision_flows_default
	EXCLUDE (tenant_id WITH =) WHERE (is_default AND deleted_at IS NULL)
	DEFERRABLE INITIALLY DEFERRED;

-- What the last check found; the gauge kaireon_gitops_drift_resources.
CREATE TABLE kaireon.gitops_drift (
	tenant_id  text COLLATE "C" NOT NULL REFERENCES kaireon.tenants,
	kind       text NOT NULL,
	op         text NOT NULL CHECK (op IN ('create', 'update', 'delete')),
	resources  bigint NOT NULL CHECK (resources > 0),
	checked_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant_id, kind, op),
	CONSTRAINT tenant_named CHECK (tenant_id <> '')
);
SELECT kaireon.tenant_wall('kaireon.gitops_drift');
-- none: the bundle of its revision
ALTER TABLE kaireon.gitops_snapshots ALTER COLUMN bundle DROP NOT NULL;
-- a tenth of the time that pglz takes, where the server was built with it
DO $$
BEGIN
	ALTER TABLE kaireon.gitops_revisions ALTER COLUMN bundle SET COMPRESSION lz4;
	ALTER TABLE kaireon.gitops_snapshots ALTER COLUMN bundle SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
	NULL; -- pglz does as well
END
$$;
-- of the drift that the last audit row told; '' when there is none
ALTER TABLE kaireon.gitops_snapshots ADD COLUMN drift_hash text NOT NULL DEFAULT '';

-- runs/execute-inline is served by the cron pool, whose role is the worker's
GRANT EXECUTE ON FUNCTION kaireon.authenticate(bytea, text),
	kaireon.authenticate_tenant(text, text, text) TO kaireon_worker;

GRANT SELECT ON kaireon.gitops_drift TO kaireon_api;
GRANT SELECT, INSERT, DELETE ON kaireon.gitops_drift TO kaireon_worker;
GRANT UPDATE (drift_hash) ON kaireon.gitops_snapshots TO kaireon_worker;
