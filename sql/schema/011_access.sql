-- The tenant wall: row-level security on every table of a tenant, and grants.

-- Put a table behind the wall. The owner has a policy of its own, or its
-- functions and migrations would silently see nothing.
CREATE FUNCTION kaireon.tenant_wall(relation regclass) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', relation);
	EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', relation);
	EXECUTE format('CREATE POLICY tenant ON %s TO kaireon_api '
	               'USING (tenant_id = kaireon.tenant_id()) '
	               'WITH CHECK (tenant_id = kaireon.tenant_id())', relation);
	EXECUTE format('CREATE POLICY owner ON %s TO kaireon_owner '
	               'USING (true) WITH CHECK (true)', relation);
END
$$;

DO $$
DECLARE
	relation regclass;
BEGIN
	FOR relation IN
		SELECT c.oid FROM pg_class AS c
		JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
		WHERE c.relnamespace = 'kaireon'::regnamespace
		  AND c.relkind IN ('r', 'p') AND NOT c.relispartition
	LOOP
		PERFORM kaireon.tenant_wall(relation);
		-- what a CHECK of its own did not say yet
		IF NOT EXISTS (SELECT FROM pg_constraint AS k
		               WHERE k.conrelid = relation AND k.contype = 'c'
		                 AND pg_get_constraintdef(k.oid) LIKE '%tenant_id%') THEN
			EXECUTE format('ALTER TABLE %s ADD CONSTRAINT tenant_named CHECK (tenant_id <> '''')',
			               relation);
		END IF;
	END LOOP;
END
$$;

-- last month to three months ahead
SELECT kaireon.partition_ensure(p.parent, (date_trunc('month', now() AT TIME ZONE 'UTC')
       + m.n * interval '1 month')::date)
FROM (VALUES ('interaction_history'), ('decision_traces'), ('audit_logs'),
             ('campaign_run_results')) AS p (parent),
     generate_series(-1, 3) AS m (n);

GRANT USAGE ON SCHEMA kaireon TO kaireon_api, kaireon_worker;

-- kaireon_api: what its routes need, on parents only, through the wall.
GRANT SELECT ON kaireon.tenants, kaireon.config_epochs, kaireon.data_schemas,
	kaireon.segments, kaireon.campaigns, kaireon.campaign_runs,
	kaireon.campaign_run_chunks, kaireon.campaign_run_results,
	kaireon.interaction_history, kaireon.jobs, kaireon.dead_letter_events,
	kaireon.audit_logs, kaireon.audit_heads, kaireon.gitops_revisions,
	kaireon.gitops_snapshots, kaireon.retention_configs, kaireon.schema_migrations,
	kaireon.categories, kaireon.sub_categories, kaireon.channels, kaireon.offers,
	kaireon.creatives, kaireon.qualification_rules, kaireon.contact_policies,
	kaireon.ranking_profiles, kaireon.decision_flows, kaireon.decision_flow_versions
	TO kaireon_api;
GRANT SELECT (tenant_id, id, name, role, prefix, expires_at, last_used_at,
	revoked_at, created_at) ON kaireon.api_keys TO kaireon_api;
GRANT INSERT, UPDATE ON kaireon.categories, kaireon.sub_categories,
	kaireon.channels, kaireon.offers, kaireon.creatives,
	kaireon.qualification_rules, kaireon.contact_policies,
	kaireon.ranking_profiles, kaireon.decision_flows TO kaireon_api;
GRANT INSERT ON kaireon.decision_flow_versions, kaireon.gitops_revisions,
	kaireon.audit_logs, kaireon.jobs, kaireon.campaigns, kaireon.campaign_runs
	TO kaireon_api;
GRANT INSERT, UPDATE ON kaireon.gitops_snapshots TO kaireon_api;
GRANT UPDATE ON kaireon.config_epochs, kaireon.audit_heads TO kaireon_api;
GRANT UPDATE (name, description, status, decision_flow_id, segment_id,
	schedule_type, schedule_day_of_week, schedule_day_of_month, schedule_time,
	schedule_timezone, schedule_cron, next_run_at, volume_constraints,
	file_config, channel_ids, run_count, last_run_at, updated_at)
	ON kaireon.campaigns TO kaireon_api;

-- kaireon_worker: no policies, so each of its statements names the tenant.
GRANT SELECT ON ALL TABLES IN SCHEMA kaireon TO kaireon_worker;
REVOKE SELECT ON kaireon.api_keys FROM kaireon_worker;
GRANT INSERT, UPDATE, DELETE ON kaireon.jobs, kaireon.dead_letter_events,
	kaireon.campaign_run_chunks, kaireon.campaign_run_results,
	kaireon.export_checkpoints, kaireon.cron_runs, kaireon.cron_run_tenants
	TO kaireon_worker;
GRANT INSERT, UPDATE ON kaireon.campaign_runs TO kaireon_worker;
GRANT UPDATE (run_count, last_run_at, next_run_at) ON kaireon.campaigns TO kaireon_worker;
GRANT INSERT ON kaireon.audit_logs TO kaireon_worker;
GRANT UPDATE ON kaireon.audit_heads TO kaireon_worker;
GRANT UPDATE (decision_count) ON kaireon.tenants TO kaireon_worker;
GRANT INSERT ON kaireon.interaction_history TO kaireon_worker;

GRANT EXECUTE ON FUNCTION kaireon.tenant_id(), kaireon.argument(text),
	kaireon.time_text(timestamptz), kaireon.id_derive(text, text, text), kaireon.id_time(timestamptz),
	kaireon.role_rank(text)
	TO kaireon_api, kaireon_worker;
GRANT EXECUTE ON FUNCTION kaireon.authenticate(bytea, text),
	kaireon.authenticate_tenant(text, text, text) TO kaireon_api;
GRANT EXECUTE ON FUNCTION kaireon.tenant_set(text), kaireon.argument_set(text, text),
	kaireon.partition_ensure(text, date) TO kaireon_worker;
