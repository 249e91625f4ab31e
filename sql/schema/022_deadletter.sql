-- Dead letters as an operator sees them: counted, paged, retried, purged.

CREATE INDEX dead_letter_events_all
	ON kaireon.dead_letter_events (tenant_id, failed_at DESC, id DESC);
ALTER TABLE kaireon.dead_letter_events ADD COLUMN max_attempts integer NOT NULL DEFAULT 25;

-- How many there are, without counting them: kept by triggers, exact in every
-- snapshot. A topic has some rows, so that two workers seldom wait for one; their
-- sum counts, one of them may be negative.
CREATE TABLE kaireon.dead_letter_counts (
	tenant_id text COLLATE "C" NOT NULL REFERENCES kaireon.tenants,
	topic     text COLLATE "C" NOT NULL,
	slot      integer NOT NULL,
	events    bigint NOT NULL,
	PRIMARY KEY (tenant_id, topic, slot),
	CONSTRAINT tenant_named CHECK (tenant_id <> '')
) WITH (fillfactor = 50);
SELECT kaireon.tenant_wall('kaireon.dead_letter_counts');

CREATE FUNCTION kaireon.dead_letter_count() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF TG_OP = 'TRUNCATE' THEN
		DELETE FROM kaireon.dead_letter_counts;
		RETURN NULL;
	END IF;
	INSERT INTO kaireon.dead_letter_counts AS c (tenant_id, topic, slot, events)
	SELECT e.tenant_id, e.topic, pg_backend_pid() % 8,
	       CASE TG_OP WHEN 'INSERT' THEN count(*) ELSE -count(*) END
	FROM moved AS e
	JOIN kaireon.tenants AS t ON t.tenant_id = e.tenant_id
	GROUP BY e.tenant_id, e.topic
	ORDER BY e.tenant_id, e.topic
	ON CONFLICT (tenant_id, topic, slot) DO UPDATE SET events = c.events + excluded.events;
	RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION kaireon.dead_letter_count() FROM PUBLIC;
CREATE TRIGGER dead_letter_inserted AFTER INSERT ON kaireon.dead_letter_events
	REFERENCING NEW TABLE AS moved FOR EACH STATEMENT EXECUTE FUNCTION kaireon.dead_letter_count();
CREATE TRIGGER dead_letter_deleted AFTER DELETE ON kaireon.dead_letter_events
	REFERENCING OLD TABLE AS moved FOR EACH STATEMENT EXECUTE FUNCTION kaireon.dead_letter_count();
CREATE TRIGGER dead_letter_truncated AFTER TRUNCATE ON kaireon.dead_letter_events
	FOR EACH STATEMENT EXECUTE FUNCTION kaireon.dead_letter_count();
INSERT INTO kaireon.dead_letter_counts (tenant_id, topic, slot, events)
SELECT e.tenant_id, e.topic, 0, count(*) FROM kaireon.dead_letter_events AS e GROUP BY 1, 2;

GRANT SELECT ON kaireon.dead_letter_counts TO kaireon_api, kaireon_worker;
GRANT DELETE ON kaireon.dead_letter_events TO kaireon_api;
-- a run whose step is retried begins anew, a delivery is due again
GRANT UPDATE (started_at, planned_now, config, config_revision, xid_ceiling, customers, chunks,
	chunks_done, processed, summary, file_path) ON kaireon.campaign_runs TO kaireon_api;
GRANT UPDATE (status, attempts, run_at) ON kaireon.outbox_events TO kaireon_api;
