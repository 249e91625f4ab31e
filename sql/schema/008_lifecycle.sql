-- How long data lives, and what waits for a decision.

CREATE TABLE kaireon.retention_configs (
	tenant_id      text COLLATE "C" NOT NULL REFERENCES kaireon.tenants,
	id             text COLLATE "C" NOT NULL,
	data_class     text NOT NULL
	               CHECK (data_class IN ('interactions', 'decisions', 'metrics', 'audit')),
	retention_days bigint NOT NULL CHECK (retention_days BETWEEN 1 AND 36500),
	legal_hold     boolean NOT NULL DEFAULT false,
	updated_at     timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant_id, id),
	UNIQUE (tenant_id, data_class)
);

CREATE TABLE kaireon.suppressions (
	tenant_id     text COLLATE "C" NOT NULL REFERENCES kaireon.tenants,
	id            text COLLATE "C" NOT NULL,
	customer_id   text COLLATE "C" NOT NULL,
	scope         text NOT NULL CHECK (scope IN ('global', 'offer', 'category')),
	scope_id      text COLLATE "C",
	policy_type   text NOT NULL DEFAULT '',
	reason        text NOT NULL DEFAULT '',
	trigger_count bigint NOT NULL DEFAULT 1,
	expires_at    timestamptz,
	created_at    timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant_id, id)
);
CREATE INDEX suppressions_customer ON kaireon.suppressions (tenant_id, customer_id);
CREATE INDEX suppressions_expiry ON kaireon.suppressions (expires_at);

CREATE TABLE kaireon.variant_assignments (
	tenant_id      text COLLATE "C" NOT NULL REFERENCES kaireon.tenants,
	experiment_key text COLLATE "C" NOT NULL,
	customer_id    text COLLATE "C" NOT NULL,
	variant        text NOT NULL,
	expires_at     timestamptz NOT NULL,
	created_at     timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant_id, experiment_key, customer_id)
);
CREATE INDEX variant_assignments_expiry
	ON kaireon.variant_assignments (tenant_id, expires_at);

CREATE TABLE kaireon.approvals (
	tenant_id      text COLLATE "C" NOT NULL REFERENCES kaireon.tenants,
	id             text COLLATE "C" NOT NULL,
	entity_type    text NOT NULL,
	entity_id      text,
	entity_name    text,
	action         text NOT NULL CHECK (action IN ('create', 'update', 'delete')),
	status         text NOT NULL DEFAULT 'pending'
	               CHECK (status IN ('pending', 'approved', 'rejected', 'expired')),
	requester_id   text NOT NULL,
	requester_name text NOT NULL,
	approver_id    text,
	approver_name  text,
	comments       text,
	payload        jsonb,
	stages         jsonb NOT NULL DEFAULT '[]',
	created_at     timestamptz NOT NULL DEFAULT now(),
	updated_at     timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant_id, id)
);
CREATE INDEX approvals_pending ON kaireon.approvals (created_at)
	WHERE status = 'pending';

-- One summary row a customer, object and period.
CREATE TABLE kaireon.interaction_summaries (
	tenant_id        text COLLATE "C" NOT NULL REFERENCES kaireon.tenants,
	customer_id      text COLLATE "C" NOT NULL,
	offer_id         text COLLATE "C" NOT NULL DEFAULT '',
	creative_id      text COLLATE "C" NOT NULL DEFAULT '',
	channel_id       text COLLATE "C" NOT NULL DEFAULT '',
	period_type      text NOT NULL
	                 CHECK (period_type IN ('daily', 'weekly', 'monthly', 'alltime')),
	period_key       text NOT NULL,
	period_end       timestamptz NOT NULL,
	impressions      bigint NOT NULL DEFAULT 0,
	positive         bigint NOT NULL DEFAULT 0,
	negative         bigint NOT NULL DEFAULT 0,
	neutral          bigint NOT NULL DEFAULT 0,
	converts         bigint NOT NULL DEFAULT 0,
	total_value      double precision NOT NULL DEFAULT 0,
	last_contact_at  timestamptz,
	last_outcome_key text,
	direction        text,
	offer_category   text,
	PRIMARY KEY (tenant_id, customer_id, offer_id, creative_id, channel_id,
	             period_type, period_key)
);
CREATE INDEX interaction_summaries_age
	ON kaireon.interaction_summaries (tenant_id, period_end);

CREATE TABLE kaireon.decision_traces (
	tenant_id         text COLLATE "C" NOT NULL CHECK (tenant_id <> ''),
	id                text COLLATE "C" NOT NULL,
	customer_id       text COLLATE "C" NOT NULL,
	request_id        text,
	decision_flow_key text,
	pipeline          jsonb NOT NULL DEFAULT '[]',
	result            jsonb NOT NULL DEFAULT '{}',
	total_latency_ms  double precision,
	degraded_scoring  boolean NOT NULL DEFAULT false,
	created_at        timestamptz NOT NULL,
	PRIMARY KEY (tenant_id, created_at, id)
) PARTITION BY RANGE (created_at);
