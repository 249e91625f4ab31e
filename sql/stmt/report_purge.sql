-- report_purge: artifacts of runs that are older than a quarter of a year, some at a time.
-- The run and its data stay.
-- params:
-- result: none
-- role: worker
-- access: write
DELETE FROM kaireon.report_artifacts AS a
USING (SELECT x.tenant_id, x.run_id, x.format
       FROM kaireon.report_runs AS r
       JOIN kaireon.report_artifacts AS x ON x.tenant_id = r.tenant_id AND x.run_id = r.id
       WHERE r.created_at < pg_catalog.now() - interval '90 days'
       LIMIT 100) AS old
WHERE a.tenant_id = old.tenant_id AND a.run_id = old.run_id AND a.format = old.format;
