-- The export knows where its lake ends.

-- The path of a batch's file, below the tenant's folder; in byte order as in time.
-- '' for no time at all.
CREATE FUNCTION kaireon.export_path(at timestamptz, ending text) RETURNS text
LANGUAGE sql STABLE
RETURN CASE WHEN isfinite(at) THEN to_char(at AT TIME ZONE 'UTC',
	'"year="YYYY"/month="MM"/day="DD"/batch-"YYYY-MM-DD"T"HH24-MI-SS-MS"Z"') || ending ELSE '' END;
GRANT EXECUTE ON FUNCTION kaireon.export_path(timestamptz, text) TO kaireon_worker;

-- The end: what a tenant has from the beginning is as it was then; but the export knows
-- that the lake has files of before.
CREATE OR REPLACE FUNCTION kaireon.tenant_reset_end() RETURNS void
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
	INSERT INTO kaireon.export_checkpoints AS k (tenant_id, stream, system_identifier, path_at)
	SELECT kaireon.tenant_id(), 'interaction_history', s.system_identifier::text,
	       date_trunc('milliseconds', clock_timestamp())
	FROM pg_control_system() AS s
	ON CONFLICT ON CONSTRAINT export_checkpoints_pkey DO UPDATE
	SET path_at = greatest(k.path_at, excluded.path_at);
END
$$;

-- Drop a month that nobody may keep, and mark what went with it; false when
-- somebody may. Counting stops only those who write to that month. Then the
-- configurations of all tenants are locked, so that a hold that commits first
-- wins. A waiting ACCESS EXCLUSIVE lock blocks every reader behind it: no lock
-- is waited for longer than 200 ms; the caller tries again.
CREATE OR REPLACE FUNCTION kaireon.partition_drop(parent text, month date, wait_for_export boolean,
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
			'SELECT array_agg((SELECT count(*) FROM kaireon.%I AS p '
			'WHERE p.tenant_id = o.tenant_id '
			'AND (p.commit_xid, p.id) <= (k.commit_xid, k.id)) ORDER BY o.n) '
			'FROM unnest($1) WITH ORDINALITY AS o (tenant_id, n) '
			'LEFT JOIN kaireon.export_checkpoints AS k ON k.tenant_id = o.tenant_id '
			'AND k.stream = ''interaction_history'' AND k.system_identifier = '
			'(SELECT s.system_identifier::text FROM pg_control_system() AS s)', part)
		INTO exported USING owners;
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
