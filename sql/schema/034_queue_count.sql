-- How long the queue is, without counting all of it at every scrape.

-- What a count of the jobs said. A queue that is small is counted whenever somebody asks;
-- counting a long one takes a while, so what was counted last is told and then counted
-- anew. Nothing is kept where jobs are made and done: that is the way of every job.
CREATE TABLE kaireon.queue_counts (
	tenant_id     text COLLATE "C" NOT NULL REFERENCES kaireon.tenants,
	topic         text COLLATE "C" NOT NULL,
	waiting       bigint NOT NULL,
	leased        bigint NOT NULL,
	oldest_run_at timestamptz,          -- of those that wait
	PRIMARY KEY (tenant_id, topic),
	CONSTRAINT tenant_named CHECK (tenant_id <> '')
);
SELECT kaireon.tenant_wall('kaireon.queue_counts');
GRANT SELECT ON kaireon.queue_counts TO kaireon_api;
GRANT SELECT, INSERT, DELETE ON kaireon.queue_counts TO kaireon_worker;

CREATE TABLE kaireon.queue_counted (
	one  boolean PRIMARY KEY DEFAULT true CHECK (one),
	at   timestamptz NOT NULL DEFAULT '-infinity', -- the count ended
	took interval NOT NULL DEFAULT '0'
);
INSERT INTO kaireon.queue_counted DEFAULT VALUES;
GRANT SELECT ON kaireon.queue_counted TO kaireon_api, kaireon_worker;
GRANT UPDATE ON kaireon.queue_counted TO kaireon_worker;

-- Is the queue so long that counting it takes more than a millisecond? By its pages: those
-- of jobs that are done are read too.
CREATE FUNCTION kaireon.queue_is_long() RETURNS boolean
LANGUAGE sql STABLE
RETURN pg_relation_size('kaireon.jobs') > 2 * 1024 * 1024;
REVOKE ALL ON FUNCTION kaireon.queue_is_long() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION kaireon.queue_is_long() TO kaireon_api, kaireon_worker;

-- Is what was counted last to be told? Not when nobody has counted for a minute.
CREATE FUNCTION kaireon.queue_count_holds() RETURNS boolean
LANGUAGE sql STABLE
RETURN kaireon.queue_is_long()
	AND (SELECT q.at > now() - greatest(interval '1 minute', 40 * q.took) FROM kaireon.queue_counted AS q);
REVOKE ALL ON FUNCTION kaireon.queue_count_holds() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION kaireon.queue_count_holds() TO kaireon_api, kaireon_worker;

-- Count a long queue, at most every ten seconds and never for more than a twentieth of the
-- time; one at a time. Was it counted?
CREATE FUNCTION kaireon.queue_count() RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	begun timestamptz := clock_timestamp();
BEGIN
	IF NOT kaireon.queue_is_long() THEN
		RETURN false;
	END IF;
	PERFORM FROM kaireon.queue_counted AS q
	WHERE q.at <= begun - greatest(interval '10 seconds', 20 * q.took)
	FOR UPDATE SKIP LOCKED;
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	DELETE FROM kaireon.queue_counts;
	INSERT INTO kaireon.queue_counts (tenant_id, topic, waiting, leased, oldest_run_at)
	SELECT j.tenant_id, j.topic, count(*) FILTER (WHERE j.leased_until IS NULL),
	       count(*) FILTER (WHERE j.leased_until IS NOT NULL),
	       min(j.run_at) FILTER (WHERE j.leased_until IS NULL)
	FROM kaireon.jobs AS j
	GROUP BY j.tenant_id, j.topic;
	UPDATE kaireon.queue_counted SET at = clock_timestamp(), took = clock_timestamp() - begun;
	RETURN true;
END
$$;
REVOKE ALL ON FUNCTION kaireon.queue_count() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION kaireon.queue_count() TO kaireon_worker;
