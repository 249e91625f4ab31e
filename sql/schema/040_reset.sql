-- A reset and runs that are triggered while it is under way: their files go too.

-- All runs that have not ended are cancelled; before any other row is locked, as the step
-- that ends a run has it.
CREATE FUNCTION kaireon.tenant_runs_cancel() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	cancelled bigint;
BEGIN
	UPDATE kaireon.campaign_runs AS r
	SET status = 'cancelled', completed_at = clock_timestamp()
	WHERE r.tenant_id = kaireon.tenant_id() AND r.status IN ('pending', 'running', 'paused');
	GET DIAGNOSTICS cancelled = ROW_COUNT;
	RETURN cancelled;
END
$$;
REVOKE ALL ON FUNCTION kaireon.tenant_runs_cancel() FROM PUBLIC;

-- The beginning: runs are cancelled, their jobs go. How many runs were cancelled.
CREATE FUNCTION kaireon.tenant_reset_begin() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	cancelled bigint := kaireon.tenant_runs_cancel();
BEGIN
	PERFORM kaireon.tenant_reset_allow();
	DELETE FROM kaireon.jobs AS j
	WHERE j.tenant_id = kaireon.tenant_id() AND j.kind NOT IN ('run_purge', 'run_discard');
	RETURN cancelled;
END
$$;
REVOKE ALL ON FUNCTION kaireon.tenant_reset_begin() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION kaireon.tenant_reset_begin() TO kaireon_api;

-- Some of a tenant's runs: the job that removes their files and what is left of their
-- ledgers comes to be as they go. How many went.
CREATE FUNCTION kaireon.tenant_runs_drop(max_rows bigint, purge_job_id text) RETURNS bigint
LANGUAGE sql SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	WITH gone AS (
		DELETE FROM kaireon.campaign_runs AS r
		WHERE r.tenant_id = kaireon.tenant_id() AND r.id IN (
			SELECT o.id FROM kaireon.campaign_runs AS o
			WHERE o.tenant_id = kaireon.tenant_id() LIMIT max_rows)
		RETURNING r.id, r.run_month
	), job AS (
		INSERT INTO kaireon.jobs (tenant_id, id, topic, kind, payload)
		SELECT kaireon.tenant_id(), purge_job_id, 'campaign_runs', 'run_purge', jsonb_build_object('runs',
		       jsonb_agg(jsonb_build_object('id', g.id, 'month', g.run_month)))
		FROM gone AS g
		HAVING count(*) > 0
	)
	SELECT count(*) FROM gone;
END;
REVOKE ALL ON FUNCTION kaireon.tenant_runs_drop(bigint, text) FROM PUBLIC;

-- Some of what the tenant has: how many rows or relations went, 0 when nothing
-- is left. What others refer to waits until those are gone.
CREATE FUNCTION kaireon.tenant_reset_some(max_rows bigint, purge_job_id text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	part record;
	gone bigint;
	total bigint := 0;
	referred text;
BEGIN
	-- those that were triggered since
	PERFORM kaireon.tenant_runs_cancel();
	PERFORM kaireon.tenant_reset_allow();
	total := kaireon.tenant_schema_drop(least(max_rows, 50));
	IF total > 0 THEN
		RETURN total;
	END IF;
	FOR part IN
		SELECT c.oid::regclass AS relation, coalesce(p.relname, c.relname) AS name
		FROM pg_class AS c
		JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
		LEFT JOIN pg_inherits AS i ON i.inhrelid = c.oid
		LEFT JOIN pg_class AS p ON p.oid = i.inhparent
		WHERE c.relnamespace = 'kaireon'::regnamespace AND c.relkind = 'r'
		  -- kept, or made anew by tenant_reset_end
		  AND coalesce(p.relname, c.relname) NOT IN ('tenants', 'api_keys', 'audit_logs', 'audit_heads',
		                                             'config_epochs', 'retention_configs')
		ORDER BY c.relname
	LOOP
		BEGIN
			IF part.name = 'campaign_runs' THEN
				gone := kaireon.tenant_runs_drop(max_rows - total, purge_job_id);
			ELSE
				EXECUTE format('DELETE FROM %1$s WHERE ctid = ANY (ARRAY('
				               'SELECT o.ctid FROM %1$s AS o WHERE o.tenant_id = $1 %2$s LIMIT $2))',
				               part.relation, CASE part.name WHEN 'jobs'
				               THEN 'AND o.kind NOT IN (''run_purge'', ''run_discard'')' ELSE '' END)
				USING kaireon.tenant_id(), max_rows - total;
				GET DIAGNOSTICS gone = ROW_COUNT;
			END IF;
			total := total + gone;
		EXCEPTION WHEN foreign_key_violation THEN
			referred := part.relation::text;
		END;
		EXIT WHEN total >= max_rows;
	END LOOP;
	IF total = 0 AND referred IS NOT NULL THEN
		RAISE EXCEPTION '% cannot be emptied', referred;
	END IF;
	RETURN total;
END
$$;
REVOKE ALL ON FUNCTION kaireon.tenant_reset_some(bigint, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION kaireon.tenant_reset_some(bigint, text) TO kaireon_api;
