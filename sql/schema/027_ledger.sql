-- Room in the pages of the ledger.

-- Limits that bind change the status of up to a third of a run's rows. A new version of a
-- row that fits its page needs no new index entries, and what is read in the order of the
-- index stays beside its neighbours.
CREATE FUNCTION kaireon.ledger_room(part regclass) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	EXECUTE format('ALTER TABLE %s SET (fillfactor = 75)', part);
END
$$;
REVOKE ALL ON FUNCTION kaireon.ledger_room(regclass) FROM PUBLIC;

SELECT kaireon.ledger_room(i.inhrelid::regclass)
FROM pg_inherits AS i
WHERE i.inhparent = 'kaireon.campaign_run_results'::regclass;

-- as before, with that room
CREATE OR REPLACE FUNCTION kaireon.partition_ensure(parent text, month date) RETURNS boolean
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
	IF parent = 'campaign_run_results' THEN
		PERFORM kaireon.ledger_room(format('kaireon.%I', part)::regclass);
	END IF;
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
