-- A playground is emptied; a customer is erased. Over the catalog: a table of
-- tenants that is added later is emptied too.

-- May the tenant be emptied? A hold that commits first is seen, any other waits.
CREATE FUNCTION kaireon.tenant_reset_allow() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	tenant kaireon.tenants;
BEGIN
	SELECT t.* INTO tenant FROM kaireon.tenants AS t
	WHERE t.tenant_id = kaireon.tenant_id() FOR SHARE;
	IF NOT FOUND OR NOT tenant.is_playground THEN
		RAISE EXCEPTION 'only a playground can be reset' USING ERRCODE = 'KR403';
	END IF;
	PERFORM FROM kaireon.retention_configs AS c
	WHERE c.tenant_id = tenant.tenant_id FOR SHARE;
	IF tenant.legal_hold OR EXISTS (SELECT FROM kaireon.retention_configs AS c
	                                WHERE c.tenant_id = tenant.tenant_id AND c.legal_hold) THEN
		RAISE EXCEPTION 'a legal hold is set' USING ERRCODE = 'KR409';
	END IF;
END
$$;
REVOKE ALL ON FUNCTION kaireon.tenant_reset_allow() FROM PUBLIC;

-- The beginning: runs are cancelled, their jobs go, and a job will remove the
-- files and the ledger of those that there are. How many runs were cancelled.
CREATE FUNCTION kaireon.tenant_reset_begin(purge_job_id text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	tenant text := kaireon.tenant_id();
	cancelled bigint;
BEGIN
	PERFORM kaireon.tenant_reset_allow();
	UPDATE kaireon.campaign_runs AS r
	SET status = 'cancelled', completed_at = clock_timestamp()
	WHERE r.tenant_id = tenant AND r.status IN ('pending', 'running', 'paused');
	GET DIAGNOSTICS cancelled = ROW_COUNT;
	DELETE FROM kaireon.jobs AS j
	WHERE j.tenant_id = tenant AND j.kind NOT IN ('run_purge', 'run_discard');
	INSERT INTO kaireon.jobs (tenant_id, id, topic, kind, payload)
	SELECT tenant, purge_job_id, 'campaign_runs', 'run_purge', jsonb_build_object('runs',
	       jsonb_agg(jsonb_build_object('id', r.id, 'month', r.run_month)))
	FROM kaireon.campaign_runs AS r
	WHERE r.tenant_id = tenant
	HAVING count(*) > 0;
	RETURN cancelled;
END
$$;
REVOKE ALL ON FUNCTION kaireon.tenant_reset_begin(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION kaireon.tenant_reset_begin(text) TO kaireon_api;

-- Some of a tenant's own schema: its views, then its tables. How many went.
CREATE FUNCTION kaireon.tenant_schema_drop(max_relations bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	relation record;
	dropped bigint := 0;
BEGIN
	FOR relation IN
		SELECT c.relname, c.relkind, n.nspname
		FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
		WHERE n.nspname = 't_' || kaireon.tenant_id() AND c.relkind IN ('r', 'v')
		ORDER BY c.relkind DESC, c.relname
		LIMIT max_relations
	LOOP
		EXECUTE format('DROP %s IF EXISTS %I.%I', CASE relation.relkind WHEN 'v'
		               THEN 'VIEW' ELSE 'TABLE' END, relation.nspname, relation.relname);
		dropped := dropped + 1;
	END LOOP;
	RETURN dropped;
END
$$;
REVOKE ALL ON FUNCTION kaireon.tenant_schema_drop(bigint) FROM PUBLIC;

-- Some of what the tenant has: how many rows or relations went, 0 when nothing
-- is left. What others refer to waits until those are gone.
CREATE FUNCTION kaireon.tenant_reset_some(max_rows bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	part record;
	gone bigint;
	total bigint := 0;
	referred text;
BEGIN
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
			EXECUTE format('DELETE FROM %1$s WHERE ctid = ANY (ARRAY('
			               'SELECT o.ctid FROM %1$s AS o WHERE o.tenant_id = $1 %2$s LIMIT $2))',
			               part.relation, CASE part.name WHEN 'jobs'
			               THEN 'AND o.kind NOT IN (''run_purge'', ''run_discard'')' ELSE '' END)
			USING kaireon.tenant_id(), max_rows - total;
			GET DIAGNOSTICS gone = ROW_COUNT;
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
REVOKE ALL ON FUNCTION kaireon.tenant_reset_some(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION kaireon.tenant_reset_some(bigint) TO kaireon_api;

-- The end: what a tenant has from the beginning is as it was then.
CREATE FUNCTION kaireon.tenant_reset_end() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM kaireon.tenant_reset_allow();
	UPDATE kaireon.retention_configs AS c
	SET retention_days = CASE c.data_class WHEN 'interactions' THEN 730 WHEN 'decisions' THEN 90
	                     ELSE 2555 END, updated_at = now()
	WHERE c.tenant_id = kaireon.tenant_id();
	UPDATE kaireon.config_epochs AS e
	SET epoch = e.epoch + 1, revision = 0, changed_at = now()
	WHERE e.tenant_id = kaireon.tenant_id();
	UPDATE kaireon.tenants AS t
	SET decision_count = 0, settings = '{}', updated_at = now()
	WHERE t.tenant_id = kaireon.tenant_id();
END
$$;
REVOKE ALL ON FUNCTION kaireon.tenant_reset_end() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION kaireon.tenant_reset_end() TO kaireon_api;

-- Interactions that were erased with their customer: a row of the lake that the
-- table lacks is one of these, or the lake was altered.
CREATE TABLE kaireon.erased_interactions (
	tenant_id  text COLLATE "C" NOT NULL REFERENCES kaireon.tenants,
	id         text COLLATE "C" NOT NULL, -- of the interaction
	erased_at  timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant_id, id),
	CONSTRAINT tenant_named CHECK (tenant_id <> '')
);
SELECT kaireon.tenant_wall('kaireon.erased_interactions');
GRANT SELECT ON kaireon.erased_interactions TO kaireon_worker;

-- Erase a customer everywhere, at once; how many rows of what.
CREATE FUNCTION kaireon.customer_erase(customer text) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	tenant text := kaireon.tenant_id();
	erased jsonb := '{}';
	nr bigint;
	total bigint := 0;
	part record;
BEGIN
	PERFORM FROM kaireon.tenants AS t WHERE t.tenant_id = tenant FOR SHARE;
	PERFORM FROM kaireon.retention_configs AS c WHERE c.tenant_id = tenant FOR SHARE;
	IF EXISTS (SELECT FROM kaireon.tenants AS t WHERE t.tenant_id = tenant AND t.legal_hold)
	   OR EXISTS (SELECT FROM kaireon.retention_configs AS c WHERE c.tenant_id = tenant
	              AND c.legal_hold AND c.data_class <> 'audit') THEN
		RAISE EXCEPTION 'a legal hold is set' USING ERRCODE = 'KR409';
	END IF;
	WITH gone AS (
		DELETE FROM kaireon.interaction_history AS h
		WHERE h.tenant_id = tenant AND h.customer_id = customer
		RETURNING h.id
	), marked AS (
		INSERT INTO kaireon.erased_interactions (tenant_id, id)
		SELECT tenant, g.id FROM gone AS g
		ON CONFLICT DO NOTHING
	)
	SELECT count(*) INTO nr FROM gone;
	erased := erased || jsonb_build_object('interactionHistory', nr);
	total := total + nr;
	FOR part IN SELECT * FROM (VALUES ('interactionSummaries', 'interaction_summaries'),
		('suppressions', 'suppressions'), ('decisionTraces', 'decision_traces'),
		('variantAssignments', 'variant_assignments'),
		('campaignRunResults', 'campaign_run_results')) AS p (label, relation)
	LOOP
		EXECUTE format('DELETE FROM kaireon.%I AS x WHERE x.tenant_id = $1 AND x.customer_id = $2',
		               part.relation) USING tenant, customer;
		GET DIAGNOSTICS nr = ROW_COUNT;
		erased := erased || jsonb_build_object(part.label, nr);
		total := total + nr;
	END LOOP;
	erased := erased || jsonb_build_object('customerData', 0);
	FOR part IN SELECT d.table_name, d.id_column FROM kaireon.data_schemas AS d
		WHERE d.tenant_id = tenant ORDER BY d.id
	LOOP
		EXECUTE format('DELETE FROM %I.%I AS x WHERE x.%I::text = $1', 't_' || tenant,
		               part.table_name, part.id_column) USING customer;
		GET DIAGNOSTICS nr = ROW_COUNT;
		erased := jsonb_set(erased, '{customerData}', to_jsonb((erased->>'customerData')::bigint + nr));
		total := total + nr;
	END LOOP;
	RETURN erased || jsonb_build_object('total', total);
END
$$;
REVOKE ALL ON FUNCTION kaireon.customer_erase(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION kaireon.customer_erase(text) TO kaireon_api;
