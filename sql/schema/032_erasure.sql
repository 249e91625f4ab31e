-- A customer is erased by indexes, and not while a run would write of them again;
-- a reset and an apply wait for each other.

-- interactions that neither of the other two indexes of customers has: few
CREATE INDEX interaction_history_rest
	ON kaireon.interaction_history (tenant_id, customer_id)
	WHERE outcome IS NULL AND (interaction_type = 'impression' AND direction = 'outbound') IS NOT TRUE;
CREATE INDEX decision_traces_customer
	ON kaireon.decision_traces (tenant_id, customer_id);

CREATE OR REPLACE FUNCTION kaireon.tenant_reset_allow() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	tenant kaireon.tenants;
BEGIN
	-- one reset at a time, and no apply beside it
	PERFORM FROM kaireon.config_epochs AS e WHERE e.tenant_id = kaireon.tenant_id() FOR UPDATE;
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

CREATE OR REPLACE FUNCTION kaireon.tenant_reset_begin(purge_job_id text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	tenant text := kaireon.tenant_id();
	cancelled bigint;
BEGIN
	UPDATE kaireon.campaign_runs AS r
	SET status = 'cancelled', completed_at = clock_timestamp()
	WHERE r.tenant_id = tenant AND r.status IN ('pending', 'running', 'paused');
	GET DIAGNOSTICS cancelled = ROW_COUNT;
	-- runs first, as the step that ends one has it
	PERFORM kaireon.tenant_reset_allow();
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

CREATE OR REPLACE FUNCTION kaireon.customer_erase(customer text) RETURNS jsonb
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
	-- a run would write of the customer again: one under way ends first, and one
	-- that is planned now fails on this row and is planned anew
	UPDATE kaireon.config_epochs AS e SET changed_at = now() WHERE e.tenant_id = tenant;
	IF EXISTS (SELECT FROM kaireon.campaign_runs AS r
	           WHERE r.tenant_id = tenant AND r.status IN ('running', 'paused')) THEN
		RAISE EXCEPTION 'a run is under way' USING ERRCODE = 'KR409';
	END IF;
	WITH seen AS ( -- by the three indexes that name customers
		SELECT h.created_at, h.id FROM kaireon.interaction_history AS h
		WHERE h.tenant_id = tenant AND h.customer_id = customer
		  AND h.interaction_type = 'impression' AND h.direction = 'outbound'
		UNION
		SELECT h.created_at, h.id FROM kaireon.interaction_history AS h
		WHERE h.tenant_id = tenant AND h.customer_id = customer AND h.outcome IS NOT NULL
		UNION
		SELECT h.created_at, h.id FROM kaireon.interaction_history AS h
		WHERE h.tenant_id = tenant AND h.customer_id = customer AND h.outcome IS NULL
		  AND (h.interaction_type = 'impression' AND h.direction = 'outbound') IS NOT TRUE
	), gone AS (
		DELETE FROM kaireon.interaction_history AS h USING seen AS s
		WHERE h.tenant_id = tenant AND h.created_at = s.created_at AND h.id = s.id
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
		('variantAssignments', 'variant_assignments')) AS p (label, relation)
	LOOP
		EXECUTE format('DELETE FROM kaireon.%I AS x WHERE x.tenant_id = $1 AND x.customer_id = $2',
		               part.relation) USING tenant, customer;
		GET DIAGNOSTICS nr = ROW_COUNT;
		erased := erased || jsonb_build_object(part.label, nr);
		total := total + nr;
	END LOOP;
	DELETE FROM kaireon.campaign_run_results AS l USING kaireon.campaign_runs AS r
	WHERE r.tenant_id = tenant AND l.tenant_id = tenant AND l.run_month = r.run_month
	  AND l.run_id = r.id AND l.customer_id = customer;
	GET DIAGNOSTICS nr = ROW_COUNT;
	erased := erased || jsonb_build_object('campaignRunResults', nr);
	total := total + nr;
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
