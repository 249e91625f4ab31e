-- Jobs, the outbox and the dead.

CREATE TABLE kaireon.jobs (
	tenant_id    text COLLATE "C" NOT NULL REFERENCES kaireon.tenants,
	seq          bigint GENERATED ALWAYS AS IDENTITY, -- order of claiming
	id           text COLLATE "C" NOT NULL,
	topic        text NOT NULL,             -- campaign_runs, …
	kind         text NOT NULL,             -- run_plan, run_decide, …
	payload      jsonb NOT NULL DEFAULT '{}',
	unique_key   text COLLATE "C",          -- at most one live job of a key
	run_at       timestamptz NOT NULL DEFAULT now(),
	attempts     integer NOT NULL DEFAULT 0, -- begun
	max_attempts integer NOT NULL DEFAULT 5,
	fence        bigint NOT NULL DEFAULT 0, -- grows with every claim
	-- who has it: a database session, and not for longer than leased_until
	leased_until timestamptz,
	lease_pid    integer,
	lease_start  timestamptz,
	errors       jsonb NOT NULL DEFAULT '[]', -- [{"at", "attempt", "error"}]
	created_at   timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant_id, id)
);
CREATE INDEX jobs_claim ON kaireon.jobs (seq);
CREATE UNIQUE INDEX jobs_unique_key ON kaireon.jobs (tenant_id, unique_key)
	WHERE unique_key IS NOT NULL;

CREATE TABLE kaireon.dead_letter_events (
	tenant_id   text COLLATE "C" NOT NULL REFERENCES kaireon.tenants,
	id          text COLLATE "C" NOT NULL,
	topic       text NOT NULL,
	kind        text NOT NULL,
	payload     jsonb NOT NULL,
	error       text NOT NULL,
	errors      jsonb NOT NULL DEFAULT '[]',
	retry_count integer NOT NULL,
	failed_at   timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant_id, id)
);
CREATE INDEX dead_letter_events_newest
	ON kaireon.dead_letter_events (tenant_id, topic, failed_at DESC, id DESC);
