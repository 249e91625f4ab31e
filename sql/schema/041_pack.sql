-- Decisions wait for the volume limits outside the ledger.

-- Who gets what is known when all of a run with limits is decided. Until then the
-- decisions of a chunk are one value here (lib/campaign/pack.h), and the ledger is
-- written once, chunk by chunk, in the step record.
CREATE TABLE kaireon.campaign_run_packs (
	tenant_id text COLLATE "C" NOT NULL CHECK (tenant_id <> ''),
	run_id    text COLLATE "C" NOT NULL,
	chunk     bigint NOT NULL,
	decisions bytea NOT NULL,
	PRIMARY KEY (tenant_id, run_id, chunk),
	FOREIGN KEY (tenant_id, run_id) REFERENCES kaireon.campaign_runs ON DELETE CASCADE
);
-- written once and read once: compressing it would take longer than that
ALTER TABLE kaireon.campaign_run_packs ALTER COLUMN decisions SET STORAGE EXTERNAL;
SELECT kaireon.tenant_wall('kaireon.campaign_run_packs');
GRANT SELECT, INSERT, DELETE ON kaireon.campaign_run_packs TO kaireon_worker;

-- What the limits gave: a row a chunk, a bit a candidate; written in one COPY by the step
-- allocate, removed with the chunk's pack.
CREATE TABLE kaireon.campaign_run_allocations (
	tenant_id text COLLATE "C" NOT NULL CHECK (tenant_id <> ''),
	run_id    text COLLATE "C" NOT NULL,
	chunk     bigint NOT NULL,
	given     bytea NOT NULL,
	PRIMARY KEY (tenant_id, run_id, chunk),
	FOREIGN KEY (tenant_id, run_id) REFERENCES kaireon.campaign_runs ON DELETE CASCADE
);
ALTER TABLE kaireon.campaign_run_allocations ALTER COLUMN given SET STORAGE EXTERNAL;
SELECT kaireon.tenant_wall('kaireon.campaign_run_allocations');
GRANT SELECT, INSERT, DELETE ON kaireon.campaign_run_allocations TO kaireon_worker;

ALTER TABLE kaireon.campaign_runs
	ADD COLUMN chunks_recorded bigint, -- 0 by the step allocate
	DROP CONSTRAINT campaign_runs_step_check,
	ADD CONSTRAINT campaign_runs_step_check
		CHECK (step IN ('plan', 'decide', 'allocate', 'record', 'finish', 'done'));

-- A run does not come to its end while decisions wait: a worker of an earlier version
-- beside ours, which knows no packs, would end it with an empty ledger. And a run that
-- begins anew, whoever lets it, has nothing that waits: the numbers in a pack are those of
-- the plan it was made with.
CREATE FUNCTION kaireon.run_is_recorded() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF NEW.step = 'plan' THEN
		DELETE FROM kaireon.campaign_run_packs AS p
		WHERE p.tenant_id = NEW.tenant_id AND p.run_id = NEW.id;
		DELETE FROM kaireon.campaign_run_allocations AS a
		WHERE a.tenant_id = NEW.tenant_id AND a.run_id = NEW.id;
	ELSIF EXISTS (SELECT FROM kaireon.campaign_run_packs AS p
	              WHERE p.tenant_id = NEW.tenant_id AND p.run_id = NEW.id) THEN
		RAISE EXCEPTION 'decisions of the run are not in its ledger yet'
			USING ERRCODE = '55000';
	END IF;
	RETURN NEW;
END
$$;
REVOKE ALL ON FUNCTION kaireon.run_is_recorded() FROM PUBLIC;
CREATE TRIGGER run_is_recorded BEFORE UPDATE OF step ON kaireon.campaign_runs
	FOR EACH ROW WHEN (NEW.step IN ('plan', 'finish', 'done') AND OLD.step <> NEW.step)
	EXECUTE FUNCTION kaireon.run_is_recorded();

-- no status is changed any more: the pages need no room for that
DO $$
DECLARE
	part regclass;
BEGIN
	FOR part IN SELECT i.inhrelid FROM pg_inherits AS i
		WHERE i.inhparent = 'kaireon.campaign_run_results'::regclass
	LOOP
		EXECUTE format('ALTER TABLE %s RESET (fillfactor)', part);
	END LOOP;
END
$$;
CREATE OR REPLACE FUNCTION kaireon.ledger_room(part regclass) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS 'SELECT';
