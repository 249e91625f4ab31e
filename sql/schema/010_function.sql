-- The privileged steps of a running system: functions of the owner, one each.
-- They take names from the catalog only. Their messages are read by clients.

-- Authentication: the first statement of a request. Sets the tenant.
CREATE FUNCTION kaireon.role_rank(role text) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE role WHEN 'viewer' THEN 1 WHEN 'editor' THEN 2 WHEN 'admin' THEN 3
       ELSE 0 END;

CREATE FUNCTION kaireon.authenticate(key_hash bytea, minimum_role text,
	OUT tenant_id text, OUT role text, OUT key_id text, OUT key_name text,
	OUT epoch bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	tenant_status text;
BEGIN
	SELECT k.tenant_id, k.role, k.id, k.name, e.epoch, t.status
	INTO authenticate.tenant_id, authenticate.role, key_id, key_name,
	     authenticate.epoch, tenant_status
	FROM kaireon.api_keys AS k
	JOIN kaireon.tenants AS t ON t.tenant_id = k.tenant_id
	JOIN kaireon.config_epochs AS e ON e.tenant_id = k.tenant_id
	WHERE k.key_hash = authenticate.key_hash
	  AND k.revoked_at IS NULL
	  AND (k.expires_at IS NULL OR k.expires_at > now());
	IF NOT FOUND THEN
		RAISE EXCEPTION 'a valid API key is required' USING ERRCODE = 'KR401';
	END IF;
	IF tenant_status <> 'active' THEN
		RAISE EXCEPTION 'the tenant is suspended' USING ERRCODE = 'KR403';
	END IF;
	IF kaireon.role_rank(authenticate.role) < kaireon.role_rank(minimum_role) THEN
		RAISE EXCEPTION 'this needs the role %', minimum_role
			USING ERRCODE = 'KR403';
	END IF;
	PERFORM set_config('kaireon.tenant_id', authenticate.tenant_id, true);
END
$$;

-- X-Tenant-Id without a key, where the operator allowed it for a role.
CREATE FUNCTION kaireon.authenticate_tenant(named_tenant text, granted_role text,
	minimum_role text, OUT tenant_id text, OUT role text, OUT key_id text,
	OUT key_name text, OUT epoch bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	SELECT t.tenant_id, granted_role, 'tenant-header', 'tenant-header', e.epoch
	INTO authenticate_tenant.tenant_id, authenticate_tenant.role, key_id,
	     key_name, authenticate_tenant.epoch
	FROM kaireon.tenants AS t
	JOIN kaireon.config_epochs AS e ON e.tenant_id = t.tenant_id
	WHERE t.tenant_id = named_tenant AND t.status = 'active';
	IF NOT FOUND THEN
		RAISE EXCEPTION 'unknown or suspended tenant' USING ERRCODE = 'KR403';
	END IF;
	IF kaireon.role_rank(granted_role) < kaireon.role_rank(minimum_role) THEN
		RAISE EXCEPTION 'this needs the role %', minimum_role
			USING ERRCODE = 'KR403';
	END IF;
	PERFORM set_config('kaireon.tenant_id', authenticate_tenant.tenant_id, true);
END
$$;

-- A tenant with all that must be there from the beginning.
CREATE FUNCTION kaireon.tenant_create(new_tenant text, name text,
	is_playground boolean, time_zone text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	class record;
BEGIN
	IF new_tenant !~ '^[a-z0-9][a-z0-9_-]{0,47}$' THEN
		RAISE EXCEPTION 'a tenant id is 1 to 48 of a-z, 0-9, - and _, and begins with a letter or digit'
			USING ERRCODE = 'KR400';
	END IF;
	IF NOT EXISTS (SELECT FROM pg_timezone_names AS z
	               WHERE z.name = tenant_create.time_zone) THEN
		RAISE EXCEPTION 'unknown time zone "%"', time_zone USING ERRCODE = 'KR400';
	END IF;
	IF EXISTS (SELECT FROM kaireon.tenants AS t WHERE t.tenant_id = new_tenant) THEN
		RAISE EXCEPTION 'the tenant "%" exists already', new_tenant
			USING ERRCODE = 'KR409';
	END IF;
	INSERT INTO kaireon.tenants (tenant_id, name, is_playground, time_zone)
	VALUES (new_tenant, tenant_create.name, tenant_create.is_playground,
	        tenant_create.time_zone);
	INSERT INTO kaireon.config_epochs (tenant_id) VALUES (new_tenant);
	INSERT INTO kaireon.audit_heads (tenant_id) VALUES (new_tenant);
	FOR class IN SELECT * FROM (VALUES ('interactions', 730), ('decisions', 90),
		('metrics', 2555), ('audit', 2555)) AS c (name, days)
	LOOP
		INSERT INTO kaireon.retention_configs (tenant_id, id, data_class, retention_days)
		VALUES (new_tenant, kaireon.id_derive('rc', kaireon.id_time(now()), new_tenant || class.name),
		        class.name, class.days);
	END LOOP;
	EXECUTE format('CREATE SCHEMA %I', 't_' || new_tenant);
	EXECUTE format('GRANT USAGE ON SCHEMA %I TO kaireon_api, kaireon_worker',
	               't_' || new_tenant);
END
$$;

-- The month's partition of a partitioned table; false when it was there.
-- CREATE and ATTACH take SHARE UPDATE EXCLUSIVE on the parent only.
CREATE FUNCTION kaireon.partition_ensure(parent text, month date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	first date := date_trunc('month', month)::date;
	next date := (date_trunc('month', month) + interval '1 month')::date;
	part text := parent || to_char(first, '"_"YYYY_MM');
	bound text := CASE WHEN parent = 'campaign_run_results' THEN '%L::date'
	              ELSE '%L' END;
BEGIN
	IF NOT EXISTS (SELECT FROM pg_partitioned_table AS p
	               JOIN pg_class AS c ON c.oid = p.partrelid
	               WHERE c.relnamespace = 'kaireon'::regnamespace
	                 AND c.relname = parent) THEN
		RAISE EXCEPTION '"%" is not a partitioned table', parent
			USING ERRCODE = 'KR400';
	END IF;
	-- one at a time; a transaction that makes it first is waited for
	PERFORM pg_advisory_xact_lock(hashtext('kaireon.partition'), hashtext(part));
	IF to_regclass(format('kaireon.%I', part)) IS NOT NULL THEN
		RETURN false;
	END IF;
	EXECUTE format('CREATE TABLE kaireon.%I (LIKE kaireon.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)',
	               part, parent);
	EXECUTE format('REVOKE ALL ON kaireon.%I FROM PUBLIC', part);
	EXECUTE format('ALTER TABLE kaireon.%I ENABLE ROW LEVEL SECURITY', part);
	EXECUTE format('ALTER TABLE kaireon.%I FORCE ROW LEVEL SECURITY', part);
	EXECUTE format('CREATE POLICY owner ON kaireon.%I TO kaireon_owner USING (true)', part);
	EXECUTE format('ALTER TABLE kaireon.%I ATTACH PARTITION kaireon.%I FOR VALUES FROM ('
	               || bound || ') TO (' || bound || ')',
	               parent, part,
	               CASE WHEN parent = 'campaign_run_results' THEN first::text
	               ELSE first::text || ' 00:00:00+00' END,
	               CASE WHEN parent = 'campaign_run_results' THEN next::text
	               ELSE next::text || ' 00:00:00+00' END);
	RETURN true;
END
$$;

-- Drop a month. A waiting ACCESS EXCLUSIVE lock blocks every reader behind
-- it, so it waits 200 ms at most; the caller tries again later.
CREATE FUNCTION kaireon.partition_drop(parent text, month date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '200ms'
AS $$
DECLARE
	part text := parent || to_char(date_trunc('month', month), '"_"YYYY_MM');
BEGIN
	IF NOT EXISTS (SELECT FROM pg_inherits AS i
	               JOIN pg_class AS c ON c.oid = i.inhrelid
	               JOIN pg_class AS p ON p.oid = i.inhparent
	               WHERE p.relnamespace = 'kaireon'::regnamespace
	                 AND p.relkind = 'p' AND p.relname = parent
	                 AND c.relname = part) THEN
		RETURN false;
	END IF;
	EXECUTE format('DROP TABLE kaireon.%I', part);
	RETURN true;
END
$$;

-- Purge a prefix of a tenant's audit chain; the anchor keeps its end.
CREATE FUNCTION kaireon.audit_purge(before timestamptz) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	tenant text := kaireon.tenant_id();
	last_seq bigint;
	last_hash text;
	purged bigint;
BEGIN
	PERFORM FROM kaireon.audit_heads AS h WHERE h.tenant_id = tenant FOR UPDATE;
	SELECT max(a.seq) INTO last_seq
	FROM kaireon.audit_logs AS a
	WHERE a.tenant_id = tenant AND a.created_at < before
	  AND NOT EXISTS (SELECT FROM kaireon.audit_logs AS b
	                  WHERE b.tenant_id = tenant AND b.seq < a.seq
	                    AND b.created_at >= before);
	IF last_seq IS NULL THEN
		RETURN 0;
	END IF;
	SELECT a.hash INTO last_hash FROM kaireon.audit_logs AS a
	WHERE a.tenant_id = tenant AND a.seq = last_seq;
	DELETE FROM kaireon.audit_logs AS a
	WHERE a.tenant_id = tenant AND a.seq <= last_seq;
	GET DIAGNOSTICS purged = ROW_COUNT;
	UPDATE kaireon.audit_heads AS h
	SET anchor_seq = last_seq, anchor_hash = last_hash,
	    anchor_count = h.anchor_count + purged
	WHERE h.tenant_id = tenant;
	RETURN purged;
END
$$;

-- Everything of a tenant's own schema; the schema itself stays.
CREATE FUNCTION kaireon.tenant_schema_drop() RETURNS bigint
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
	LOOP
		EXECUTE format('DROP %s %I.%I', CASE relation.relkind WHEN 'v'
		               THEN 'VIEW' ELSE 'TABLE' END, relation.nspname, relation.relname);
		dropped := dropped + 1;
	END LOOP;
	RETURN dropped;
END
$$;

-- A customer table of the current tenant. columns: [{"name", "type"}].
CREATE FUNCTION kaireon.data_table_create(schema_name text, id_column text,
	columns jsonb) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	tenant text := kaireon.tenant_id();
	space text := 't_' || kaireon.tenant_id();
	relation text := 'ds_' || schema_name;
	list text;
BEGIN
	IF schema_name !~ '^[a-z][a-z0-9_]{0,47}$' THEN
		RAISE EXCEPTION 'a schema name is 1 to 48 of a-z, 0-9 and _, and begins with a letter'
			USING ERRCODE = 'KR400';
	END IF;
	IF EXISTS (SELECT FROM jsonb_array_elements(columns) AS c
	           WHERE c->>'type' NOT IN ('text', 'bigint', 'double precision',
	                 'boolean', 'date', 'timestamptz')) THEN
		RAISE EXCEPTION 'unknown column type' USING ERRCODE = 'KR400';
	END IF;
	IF EXISTS (SELECT FROM jsonb_array_elements(columns) AS c
	           WHERE c->>'name' IN ('tableoid', 'xmin', 'cmin', 'xmax', 'cmax', 'ctid')
	              OR octet_length(c->>'name') NOT BETWEEN 1 AND 63) THEN
		RAISE EXCEPTION 'a column name has 1 to 63 bytes and is not one of PostgreSQL''s own'
			USING ERRCODE = 'KR400';
	END IF;
	SELECT string_agg(format('%I %s', c.value->>'name',
	         CASE WHEN c.value->>'name' = id_column THEN 'text COLLATE "C" NOT NULL'
	              WHEN c.value->>'type' = 'text' THEN 'text COLLATE "C"'
	              ELSE c.value->>'type' END), ', ' ORDER BY c.ordinality)
	INTO list
	FROM jsonb_array_elements(columns) WITH ORDINALITY AS c;
	EXECUTE format('CREATE TABLE %I.%I (%s, UNIQUE (%I))', space, relation, list, id_column);
	EXECUTE format('ALTER TABLE %I.%I ENABLE ROW LEVEL SECURITY', space, relation);
	EXECUTE format('ALTER TABLE %I.%I FORCE ROW LEVEL SECURITY', space, relation);
	EXECUTE format('CREATE POLICY tenant ON %I.%I USING (kaireon.tenant_id() = %L)',
	               space, relation, tenant);
	EXECUTE format('GRANT SELECT ON %I.%I TO kaireon_api', space, relation);
	EXECUTE format('GRANT SELECT, INSERT, TRUNCATE ON %I.%I TO kaireon_worker',
	               space, relation);
	RETURN relation;
END
$$;

-- One condition of a segment, as SQL over the base table's column.
CREATE FUNCTION kaireon.segment_condition(relation regclass, filter jsonb)
RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	attribute text := filter->>'attribute';
	operator text := filter->>'operator';
	type text;
	symbol text;
	list text;
BEGIN
	SELECT format_type(a.atttypid, a.atttypmod) INTO type
	FROM pg_attribute AS a
	WHERE a.attrelid = relation AND a.attname = attribute
	  AND a.attnum > 0 AND NOT a.attisdropped;
	IF type IS NULL THEN
		RAISE EXCEPTION 'unknown attribute "%"', attribute USING ERRCODE = 'KR400';
	END IF;
	symbol := CASE operator WHEN 'eq' THEN '=' WHEN 'equals' THEN '='
		WHEN 'neq' THEN '<>' WHEN 'not_equals' THEN '<>' WHEN 'gt' THEN '>'
		WHEN 'gte' THEN '>=' WHEN 'lt' THEN '<' WHEN 'lte' THEN '<=' END;
	IF symbol IS NOT NULL THEN
		RETURN format('%I %s CAST(%L AS %s)', attribute, symbol,
		              filter->>'value', type);
	END IF;
	CASE operator
	WHEN 'exists' THEN
		RETURN format('%I IS NOT NULL', attribute);
	WHEN 'not_exists' THEN
		RETURN format('%I IS NULL', attribute);
	WHEN 'contains' THEN
		RETURN format('strpos(%I::text, %L) > 0', attribute, filter->>'value');
	WHEN 'in', 'not_in' THEN
		SELECT string_agg(format('CAST(%L AS %s)', v.value, type), ', ')
		INTO list FROM jsonb_array_elements_text(filter->'value') AS v;
		RETURN format('%I %s (%s)', attribute,
		              CASE operator WHEN 'in' THEN 'IN' ELSE 'NOT IN' END,
		              coalesce(list, 'NULL'));
	ELSE
		RAISE EXCEPTION 'unknown operator "%"', operator USING ERRCODE = 'KR400';
	END CASE;
END
$$;

-- The view of a segment of the current tenant, and how many it holds.
CREATE FUNCTION kaireon.segment_view_create(segment_id text)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	tenant text := kaireon.tenant_id();
	space text := 't_' || kaireon.tenant_id();
	segment record;
	relation regclass;
	condition text;
	list text;
	customers bigint;
BEGIN
	SELECT s.view_name, s.filters, d.table_name, d.id_column INTO segment
	FROM kaireon.segments AS s
	JOIN kaireon.data_schemas AS d
	  ON d.tenant_id = s.tenant_id AND d.id = s.base_schema_id
	WHERE s.tenant_id = tenant AND s.id = segment_id;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'no such segment' USING ERRCODE = 'KR404';
	END IF;
	relation := format('%I.%I', space, segment.table_name)::regclass;
	SELECT string_agg(kaireon.segment_condition(relation, f.value), ' AND '
	                  ORDER BY f.ordinality)
	INTO condition
	FROM jsonb_array_elements(segment.filters) WITH ORDINALITY AS f;
	SELECT string_agg(format('%I', a.attname), ', ' ORDER BY a.attnum) INTO list
	FROM pg_attribute AS a
	WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped
	  AND a.attname <> 'customer_id';
	EXECUTE format('CREATE VIEW %I.%I WITH (security_invoker = true, security_barrier = false) AS '
	               'SELECT %I AS customer_id%s FROM %s WHERE %s',
	               space, segment.view_name, segment.id_column,
	               coalesce(', ' || list, ''), relation, coalesce(condition, 'true'));
	EXECUTE format('GRANT SELECT ON %I.%I TO kaireon_api, kaireon_worker',
	               space, segment.view_name);
	EXECUTE format('SELECT count(*) FROM %I.%I', space, segment.view_name) INTO customers;
	UPDATE kaireon.segments AS s
	SET customer_count = customers, last_refreshed_at = now(), updated_at = now()
	WHERE s.tenant_id = tenant AND s.id = segment_id;
	RETURN customers;
EXCEPTION
	WHEN invalid_text_representation OR invalid_datetime_format
	     OR numeric_value_out_of_range OR datetime_field_overflow THEN
		RAISE EXCEPTION 'a value of a condition is not of its attribute''s type: %', SQLERRM
			USING ERRCODE = 'KR400';
END
$$;
