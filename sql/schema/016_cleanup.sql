-- Cleanup: what may go, what went, and the ledger of cron calls.

-- What a purge took: one row a tenant, table and month, written by the
-- statement that deletes. A row of the lake that the table lacks was purged if
-- it is older than its month's purged_before, and such rows of a month are no
-- more than exported_rows; any other row that is missing was not purged.
CREATE TABLE kaireon.purge_marks (
	tenant_id     text COLLATE "C" NOT NULL REFERENCES kaireon.tenants,
	table_name    text COLLATE "C" NOT NULL
	              CHECK (table_name IN ('interaction_history', 'interaction_summaries',
	                                    'decision_traces')),
	month         date NOT NULL,                -- of the rows' time, UTC
	purged_before timestamptz NOT NULL,
	purged_rows   bigint NOT NULL,
	exported_rows bigint NOT NULL DEFAULT 0,    -- of them, what the lake has
	updated_at    timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant_id, table_name, month),
	CONSTRAINT tenant_named CHECK (tenant_id <> '')
);
SELECT kaireon.tenant_wall('kaireon.purge_marks');

-- Until when rows of a data class are kept; NULL while a hold is on the class
-- or on the tenant. Both rows are locked: a hold that commits first is seen, any
-- other waits until the caller's transaction has ended.
CREATE FUNCTION kaireon.retention_cutoff(class text) RETURNS timestamptz
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	cutoff timestamptz;
BEGIN
	SELECT now() - c.retention_days * interval '1 day' INTO cutoff
	FROM kaireon.retention_configs AS c
	JOIN kaireon.tenants AS t ON t.tenant_id = c.tenant_id
	WHERE c.tenant_id = kaireon.tenant_id() AND c.data_class = class
	  AND NOT c.legal_hold AND NOT t.legal_hold
	FOR SHARE;
	RETURN cutoff;
END
$$;

-- May anybody keep a row of that month? By hold, by retention, or since the
-- export has not taken it: a batch under way always, the rest when asked to wait.
CREATE FUNCTION kaireon.partition_is_kept(part text, class text, wait_for_export boolean)
RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	kept boolean;
BEGIN
	EXECUTE format(
		'SELECT EXISTS (SELECT FROM kaireon.retention_configs AS c '
		'JOIN kaireon.tenants AS t ON t.tenant_id = c.tenant_id '
		'WHERE c.data_class = $1 AND EXISTS (SELECT FROM kaireon.%I AS p '
		'WHERE p.tenant_id = c.tenant_id AND p.created_at >= CASE '
		'WHEN c.legal_hold OR t.legal_hold THEN ''-infinity'' '
		'ELSE now() - c.retention_days * interval ''1 day'' END))', part)
	INTO kept USING class;
	IF kept OR class <> 'interactions' THEN
		RETURN kept;
	END IF;
	EXECUTE format(
		'SELECT EXISTS (SELECT FROM kaireon.tenants AS t '
		'LEFT JOIN kaireon.export_checkpoints AS k '
		'ON k.tenant_id = t.tenant_id AND k.stream = ''interaction_history'' '
		'WHERE EXISTS (SELECT FROM kaireon.%1$I AS p WHERE p.tenant_id = t.tenant_id '
		'AND (p.commit_xid, p.id) > (coalesce(k.commit_xid, ''0''), coalesce(k.id, '''')) '
		'AND ($1 OR (p.commit_xid, p.id) <= (k.intent_commit_xid, k.intent_id))) '
		'OR ($1 AND k.system_identifier <> (SELECT s.system_identifier::text '
		'FROM pg_control_system() AS s) '
		'AND EXISTS (SELECT FROM kaireon.%1$I AS p WHERE p.tenant_id = t.tenant_id)))', part)
	INTO kept USING wait_for_export;
	RETURN kept;
END
$$;

-- Drop a month that nobody may keep, and mark what went with it; false when
-- somebody may. Counting stops only those who write to that month. Then the
-- configurations of all tenants are locked, so that a hold that commits first
-- wins. A waiting ACCESS EXCLUSIVE lock blocks every reader behind it: no lock
-- is waited for longer than 200 ms; the caller tries again.
DROP FUNCTION kaireon.partition_drop(text, date);
CREATE FUNCTION kaireon.partition_drop(parent text, month date, wait_for_export boolean,
	OUT dropped boolean, OUT purged bigint)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '200ms'
AS $$
DECLARE
	class text := CASE parent WHEN 'interaction_history' THEN 'interactions'
	              WHEN 'decision_traces' THEN 'decisions' END;
	first date := date_trunc('month', month)::date;
	next timestamptz := (date_trunc('month', month) + interval '1 month') AT TIME ZONE 'UTC';
	part text := parent || to_char(first, '"_"YYYY_MM');
	owners text[];
	counts bigint[];
	exported bigint[];
BEGIN
	dropped := false;
	purged := 0;
	IF class IS NULL THEN
		RAISE EXCEPTION '"%" has no retention', parent USING ERRCODE = 'KR400';
	END IF;
	-- not of a month that is over for no tenant: somebody may yet write to it
	IF NOT EXISTS (SELECT FROM pg_inherits AS i
	               JOIN pg_class AS c ON c.oid = i.inhrelid
	               JOIN pg_class AS p ON p.oid = i.inhparent
	               WHERE p.relnamespace = 'kaireon'::regnamespace
	                 AND p.relkind = 'p' AND p.relname = parent
	                 AND c.relname = part)
	   OR NOT EXISTS (SELECT FROM kaireon.retention_configs AS c
	                  WHERE c.data_class = class
	                    AND now() - c.retention_days * interval '1 day' >= next)
	   OR kaireon.partition_is_kept(part, class, wait_for_export) THEN
		RETURN;
	END IF;
	EXECUTE format('LOCK TABLE kaireon.%I IN SHARE ROW EXCLUSIVE MODE', part);
	EXECUTE format('SELECT array_agg(o.tenant_id), array_agg(o.nr) '
	               'FROM (SELECT p.tenant_id, count(*) AS nr FROM kaireon.%I AS p '
	               'GROUP BY p.tenant_id) AS o', part) INTO owners, counts;
	PERFORM FROM kaireon.retention_configs AS c
	WHERE c.data_class = class ORDER BY c.tenant_id FOR SHARE;
	PERFORM FROM kaireon.tenants AS t ORDER BY t.tenant_id FOR SHARE;
	IF class = 'interactions' THEN
		PERFORM FROM kaireon.export_checkpoints AS k ORDER BY k.tenant_id FOR SHARE;
	END IF;
	IF kaireon.partition_is_kept(part, class, wait_for_export) THEN
		RETURN;
	END IF;
	IF class = 'interactions' THEN
		EXECUTE format(
			'SELECT array_agg(o.nr - (SELECT count(*) FROM kaireon.%I AS p '
			'WHERE p.tenant_id = o.tenant_id AND (p.commit_xid, p.id) '
			'> (coalesce(k.commit_xid, ''0''), coalesce(k.id, ''''))) ORDER BY o.n) '
			'FROM unnest($1, $2) WITH ORDINALITY AS o (tenant_id, nr, n) '
			'LEFT JOIN kaireon.export_checkpoints AS k ON k.tenant_id = o.tenant_id '
			'AND k.stream = ''interaction_history''', part)
		INTO exported USING owners, counts;
	END IF;
	INSERT INTO kaireon.purge_marks AS m (tenant_id, table_name, month, purged_before,
		purged_rows, exported_rows)
	SELECT o.tenant_id, parent, first, next, o.nr, coalesce(o.exported, 0)
	FROM unnest(owners, counts, exported) AS o (tenant_id, nr, exported)
	JOIN kaireon.tenants AS t ON t.tenant_id = o.tenant_id
	ON CONFLICT ON CONSTRAINT purge_marks_pkey DO UPDATE
	SET purged_before = greatest(m.purged_before, excluded.purged_before),
	    purged_rows = m.purged_rows + excluded.purged_rows,
	    exported_rows = m.exported_rows + excluded.exported_rows, updated_at = now();
	EXECUTE format('DROP TABLE kaireon.%I', part);
	dropped := true;
	SELECT coalesce(sum(o.nr), 0) INTO purged FROM unnest(counts) AS o (nr);
END
$$;

-- Purge the prefix of the tenant's audit chain whose time is over, unless it is
-- held; the anchor keeps its end. A part of the chain at a time: the head is
-- locked meanwhile. A gap in the chain is left for who verifies it.
DROP FUNCTION kaireon.audit_purge(timestamptz);
CREATE FUNCTION kaireon.audit_purge(max_rows bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	tenant text := kaireon.tenant_id();
	cutoff timestamptz := kaireon.retention_cutoff('audit');
	last_seq bigint;
	last_hash text;
	purged bigint;
BEGIN
	PERFORM FROM kaireon.audit_heads AS h WHERE h.tenant_id = tenant FOR UPDATE;
	SELECT max(o.seq) INTO last_seq
	FROM (SELECT a.seq, a.seq - h.anchor_seq = row_number() OVER (ORDER BY a.seq) AS joins
	      FROM (SELECT l.seq FROM kaireon.audit_logs AS l
	            WHERE l.tenant_id = tenant AND l.created_at < cutoff
	            ORDER BY l.created_at, l.id LIMIT max_rows) AS a,
	           kaireon.audit_heads AS h
	      WHERE h.tenant_id = tenant) AS o
	WHERE o.joins;
	IF last_seq IS NULL THEN
		RETURN 0;
	END IF;
	SELECT a.hash INTO last_hash FROM kaireon.audit_logs AS a
	WHERE a.tenant_id = tenant AND a.created_at < cutoff AND a.seq = last_seq;
	DELETE FROM kaireon.audit_logs AS a
	WHERE a.tenant_id = tenant AND a.created_at < cutoff AND a.seq <= last_seq;
	GET DIAGNOSTICS purged = ROW_COUNT;
	UPDATE kaireon.audit_heads AS h
	SET anchor_seq = last_seq, anchor_hash = last_hash,
	    anchor_count = h.anchor_count + purged
	WHERE h.tenant_id = tenant;
	RETURN purged;
END
$$;

-- `change` into `base`: objects member by member, anything else replaces.
CREATE FUNCTION kaireon.json_merge(base jsonb, change jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF jsonb_typeof(base) <> 'object' OR jsonb_typeof(change) <> 'object' THEN
		RETURN change;
	END IF;
	RETURN base || coalesce((
		SELECT jsonb_object_agg(c.key, CASE WHEN base ? c.key
		       THEN kaireon.json_merge(base->c.key, c.value) ELSE c.value END)
		FROM jsonb_each(change) AS c), '{}');
END
$$;

-- What a tenant's settings look like; the column is the truth of a hold.
CREATE FUNCTION kaireon.settings_document(t kaireon.tenants) RETURNS jsonb
LANGUAGE sql STABLE
RETURN CASE WHEN t.legal_hold OR t.settings ? 'legalHold'
       THEN t.settings || jsonb_build_object('legalHold', t.legal_hold)
       ELSE t.settings END;

CREATE FUNCTION kaireon.retention_document(c kaireon.retention_configs) RETURNS json
LANGUAGE sql STABLE
RETURN json_build_object('id', c.id, 'dataClass', c.data_class,
	'retentionDays', c.retention_days, 'legalHold', c.legal_hold);

-- What each cron job has done so far; the ledger forgets.
ALTER TABLE kaireon.cron_runs ADD COLUMN skipped boolean NOT NULL DEFAULT false;
CREATE INDEX cron_runs_age ON kaireon.cron_runs (started_at);
CREATE INDEX cron_run_tenants_run ON kaireon.cron_run_tenants (cron_run_id);
CREATE TABLE kaireon.cron_jobs (
	job             text NOT NULL PRIMARY KEY,
	runs            bigint NOT NULL DEFAULT 0,
	failures        bigint NOT NULL DEFAULT 0,
	rows_total      bigint NOT NULL DEFAULT 0,
	seconds_total   double precision NOT NULL DEFAULT 0,
	last_success_at timestamptz
);

-- expired rows are looked for tenant by tenant
DROP INDEX kaireon.suppressions_expiry;
CREATE INDEX suppressions_expiry ON kaireon.suppressions (tenant_id, expires_at);

GRANT SELECT ON kaireon.cron_jobs, kaireon.purge_marks TO kaireon_worker;
GRANT INSERT, UPDATE ON kaireon.cron_jobs, kaireon.purge_marks TO kaireon_worker;
GRANT DELETE ON kaireon.interaction_history, kaireon.interaction_summaries,
	kaireon.decision_traces, kaireon.suppressions TO kaireon_worker;
-- no more than what FOR SHARE asks for
GRANT UPDATE (updated_at) ON kaireon.retention_configs TO kaireon_worker;
GRANT EXECUTE ON FUNCTION kaireon.retention_cutoff(text),
	kaireon.partition_drop(text, date, boolean) TO kaireon_worker;

GRANT SELECT ON kaireon.cron_runs, kaireon.cron_run_tenants, kaireon.variant_assignments
	TO kaireon_api;
GRANT DELETE ON kaireon.variant_assignments TO kaireon_api;
GRANT UPDATE (retention_days, legal_hold, updated_at) ON kaireon.retention_configs TO kaireon_api;
GRANT UPDATE (settings, legal_hold, updated_at) ON kaireon.tenants TO kaireon_api;
GRANT EXECUTE ON FUNCTION kaireon.audit_purge(bigint), kaireon.json_merge(jsonb, jsonb),
	kaireon.settings_document(kaireon.tenants),
	kaireon.retention_document(kaireon.retention_configs) TO kaireon_api;
