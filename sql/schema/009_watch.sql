-- Alerts, reports, deliveries.

CREATE TABLE kaireon.outcome_types (
	tenant_id      text COLLATE "C" NOT NULL REFERENCES kaireon.tenants,
	key            text COLLATE "C" NOT NULL,
	name           text NOT NULL,
	description    text NOT NULL DEFAULT '',
	classification text NOT NULL
	               CHECK (classification IN ('positive', 'negative', 'neutral')),
	category       text NOT NULL CHECK (category IN ('impression', 'response')),
	is_system      boolean NOT NULL DEFAULT false,
	ordinal        bigint NOT NULL DEFAULT 0,
	status         text NOT NULL DEFAULT 'active',
	version        bigint NOT NULL DEFAULT 1,
	deleted_at     timestamptz,
	PRIMARY KEY (tenant_id, key)
);

CREATE TABLE kaireon.alert_rules (
	tenant_id        text COLLATE "C" NOT NULL REFERENCES kaireon.tenants,
	id               text COLLATE "C" NOT NULL,
	name             text NOT NULL CHECK (name <> ''),
	metric           text NOT NULL,
	operator         text NOT NULL
	                 CHECK (operator IN ('gt', 'lt', 'gte', 'lte', 'eq')),
	threshold        double precision NOT NULL,
	window_minutes   bigint NOT NULL DEFAULT 5 CHECK (window_minutes > 0),
	channels         jsonb NOT NULL DEFAULT '[]',
	cooldown_minutes bigint NOT NULL DEFAULT 60 CHECK (cooldown_minutes >= 0),
	enabled          boolean NOT NULL DEFAULT true,
	last_fired_at    timestamptz,
	status           text NOT NULL DEFAULT 'ok',
	created_at       timestamptz NOT NULL DEFAULT now(),
	updated_at       timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant_id, id)
);

CREATE TABLE kaireon.notification_providers (
	tenant_id  text COLLATE "C" NOT NULL REFERENCES kaireon.tenants,
	id         text COLLATE "C" NOT NULL,
	kind       text NOT NULL CHECK (kind IN ('slack', 'teams', 'webhook', 'ops_email')),
	name       text NOT NULL CHECK (name <> ''),
	enabled    boolean NOT NULL DEFAULT true,
	config     bytea NOT NULL, -- encrypted
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant_id, id)
);

CREATE TABLE kaireon.report_templates (
	tenant_id    text COLLATE "C" NOT NULL REFERENCES kaireon.tenants,
	id           text COLLATE "C" NOT NULL,
	name         text NOT NULL CHECK (name <> ''),
	description  text NOT NULL DEFAULT '',
	data_sources jsonb NOT NULL DEFAULT '[]',
	sections     jsonb NOT NULL DEFAULT '[]',
	formats      jsonb NOT NULL DEFAULT '[]',
	narrative    jsonb NOT NULL DEFAULT '{}',
	filters      jsonb NOT NULL DEFAULT '{}',
	enabled      boolean NOT NULL DEFAULT true,
	created_at   timestamptz NOT NULL DEFAULT now(),
	updated_at   timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant_id, id)
);

CREATE TABLE kaireon.report_schedules (
	tenant_id       text COLLATE "C" NOT NULL REFERENCES kaireon.tenants,
	id              text COLLATE "C" NOT NULL,
	template_id     text COLLATE "C" NOT NULL,
	name            text NOT NULL CHECK (name <> ''),
	cron_expression text NOT NULL,
	timezone        text NOT NULL DEFAULT 'UTC',
	destinations    jsonb NOT NULL DEFAULT '[]',
	enabled         boolean NOT NULL DEFAULT true,
	last_run_at     timestamptz,
	next_run_at     timestamptz,
	last_status     text NOT NULL DEFAULT 'pending',
	created_at      timestamptz NOT NULL DEFAULT now(),
	updated_at      timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant_id, id),
	FOREIGN KEY (tenant_id, template_id)
		REFERENCES kaireon.report_templates ON DELETE CASCADE
);
CREATE INDEX report_schedules_due ON kaireon.report_schedules (next_run_at)
	WHERE enabled;

CREATE TABLE kaireon.report_runs (
	tenant_id     text COLLATE "C" NOT NULL REFERENCES kaireon.tenants,
	id            text COLLATE "C" NOT NULL,
	template_id   text COLLATE "C" NOT NULL,
	schedule_id   text COLLATE "C",
	status        text NOT NULL,
	sections_data jsonb,
	error         text,
	created_at    timestamptz NOT NULL DEFAULT now(),
	completed_at  timestamptz,
	PRIMARY KEY (tenant_id, id),
	FOREIGN KEY (tenant_id, template_id)
		REFERENCES kaireon.report_templates ON DELETE CASCADE
);

CREATE TABLE kaireon.outbox_events (
	tenant_id  text COLLATE "C" NOT NULL REFERENCES kaireon.tenants,
	id         text COLLATE "C" NOT NULL,
	topic      text NOT NULL,
	unique_key text COLLATE "C" NOT NULL,
	payload    jsonb NOT NULL,
	status     text NOT NULL DEFAULT 'pending'
	           CHECK (status IN ('pending', 'processing', 'delivered', 'dead')),
	attempts   integer NOT NULL DEFAULT 0,
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant_id, id),
	UNIQUE (tenant_id, topic, unique_key)
);

-- Requests that must not be repeated, or not too often.
CREATE TABLE kaireon.idempotency_keys (
	tenant_id    text COLLATE "C" NOT NULL REFERENCES kaireon.tenants,
	method       text NOT NULL,
	path         text NOT NULL,
	key          text COLLATE "C" NOT NULL,
	request_hash bytea NOT NULL,
	status       integer,
	response     bytea,
	created_at   timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant_id, method, path, key)
);

CREATE TABLE kaireon.rate_limit_hits (
	tenant_id text COLLATE "C" NOT NULL REFERENCES kaireon.tenants,
	route     text NOT NULL,
	hit_at    timestamptz NOT NULL,
	id        text COLLATE "C" NOT NULL,
	PRIMARY KEY (tenant_id, route, hit_at, id)
);
