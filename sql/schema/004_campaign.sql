-- Customer data, segments, campaigns and their runs.

-- A table t_<tenant>.ds_<name> of the tenant's own.
CREATE TABLE kaireon.data_schemas (
	tenant_id   text COLLATE "C" NOT NULL REFERENCES kaireon.tenants,
	id          text COLLATE "C" NOT NULL,
	name        text COLLATE "C" NOT NULL CHECK (name ~ '^[a-z][a-z0-9_]{0,47}$'),
	entity_type text NOT NULL DEFAULT 'customer',
	table_name  text COLLATE "C" NOT NULL,
	id_column   text COLLATE "C" NOT NULL,
	columns     jsonb NOT NULL, -- [{"name", "type"}] in the table's order
	created_at  timestamptz NOT NULL DEFAULT now(),
	updated_at  timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant_id, id),
	UNIQUE (tenant_id, name)
);

-- A view t_<tenant>.<view_name> with a column customer_id.
CREATE TABLE kaireon.segments (
	tenant_id         text COLLATE "C" NOT NULL REFERENCES kaireon.tenants,
	id                text COLLATE "C" NOT NULL,
	name              text COLLATE "C" NOT NULL CHECK (name <> ''),
	description       text NOT NULL DEFAULT '',
	status            text NOT NULL DEFAULT 'active'
	                  CHECK (status IN ('draft', 'active', 'paused', 'archived')),
	entity_type       text NOT NULL DEFAULT 'customer',
	base_schema_id    text COLLATE "C" NOT NULL,
	joins             jsonb NOT NULL DEFAULT '[]',
	filters           jsonb NOT NULL DEFAULT '[]', -- [{"attribute", "operator", "value"}]
	view_name         text COLLATE "C" NOT NULL,
	customer_count    bigint NOT NULL DEFAULT 0,
	last_refreshed_at timestamptz,
	created_at        timestamptz NOT NULL DEFAULT now(),
	updated_at        timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant_id, id),
	UNIQUE (tenant_id, name),
	UNIQUE (tenant_id, view_name),
	FOREIGN KEY (tenant_id, base_schema_id) REFERENCES kaireon.data_schemas
);

CREATE TABLE kaireon.campaigns (
	tenant_id             text COLLATE "C" NOT NULL REFERENCES kaireon.tenants,
	id                    text COLLATE "C" NOT NULL,
	name                  text NOT NULL CHECK (name <> ''),
	description           text NOT NULL DEFAULT '',
	status                text NOT NULL DEFAULT 'draft'
	                      CHECK (status IN ('draft', 'active', 'paused', 'archived')),
	decision_flow_id      text COLLATE "C" NOT NULL,
	segment_id            text COLLATE "C" NOT NULL,
	schedule_type         text NOT NULL DEFAULT 'manual'
	                      CHECK (schedule_type IN ('manual', 'daily', 'weekly', 'monthly')),
	schedule_day_of_week  bigint CHECK (schedule_day_of_week BETWEEN 0 AND 6),
	schedule_day_of_month text,
	schedule_time         text NOT NULL DEFAULT '09:00',
	schedule_timezone     text NOT NULL DEFAULT 'UTC',
	schedule_cron         text,
	next_run_at           timestamptz,
	volume_constraints    jsonb NOT NULL DEFAULT '{}',
	file_config           jsonb NOT NULL,
	channel_ids           jsonb NOT NULL DEFAULT '[]',
	run_count             bigint NOT NULL DEFAULT 0,
	last_run_at           timestamptz,
	created_at            timestamptz NOT NULL DEFAULT now(),
	updated_at            timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant_id, id),
	FOREIGN KEY (tenant_id, decision_flow_id) REFERENCES kaireon.decision_flows,
	FOREIGN KEY (tenant_id, segment_id) REFERENCES kaireon.segments
);
CREATE INDEX campaigns_newest ON kaireon.campaigns (tenant_id, created_at DESC, id DESC);
CREATE INDEX campaigns_due ON kaireon.campaigns (next_run_at)
	WHERE next_run_at IS NOT NULL AND status = 'active';

CREATE TABLE kaireon.campaign_runs (
	tenant_id       text COLLATE "C" NOT NULL,
	id              text COLLATE "C" NOT NULL,
	campaign_id     text COLLATE "C" NOT NULL,
	run_number      bigint NOT NULL,
	triggered_by    text NOT NULL DEFAULT 'manual'
	                CHECK (triggered_by IN ('manual', 'schedule', 'inline')),
	status          text NOT NULL DEFAULT 'pending'
	                CHECK (status IN ('pending', 'running', 'paused', 'completed',
	                       'completed_with_errors', 'failed', 'cancelled')),
	step            text NOT NULL DEFAULT 'plan'
	                CHECK (step IN ('plan', 'decide', 'allocate', 'finish', 'done')),
	created_at      timestamptz NOT NULL DEFAULT now(),
	started_at      timestamptz,
	completed_at    timestamptz,
	-- fixed by the plan
	planned_now     timestamptz,   -- the run's "now": decidedAt of every decision
	run_month       date,          -- first day of planned_now's month, UTC
	xid_ceiling     xid8,          -- contacts committed below it count
	config          jsonb,         -- campaign, flow version, offers, rules, policies …
	config_revision bigint,
	customers       bigint,
	chunks          bigint,
	-- moved by the steps
	chunks_done     bigint NOT NULL DEFAULT 0,
	processed       bigint NOT NULL DEFAULT 0,
	summary         jsonb,
	error           text,
	file_path       text,          -- below RUN_FILE_DIR
	PRIMARY KEY (tenant_id, id),
	UNIQUE (tenant_id, campaign_id, run_number),
	FOREIGN KEY (tenant_id, campaign_id) REFERENCES kaireon.campaigns ON DELETE CASCADE
);
-- One run at a time of a campaign.
CREATE UNIQUE INDEX campaign_runs_open ON kaireon.campaign_runs (tenant_id, campaign_id)
	WHERE status IN ('pending', 'running', 'paused');

-- A range of customers: low <= customer_id <= high.
CREATE TABLE kaireon.campaign_run_chunks (
	tenant_id text COLLATE "C" NOT NULL,
	run_id    text COLLATE "C" NOT NULL,
	chunk     bigint NOT NULL,
	low       text COLLATE "C" NOT NULL,
	high      text COLLATE "C" NOT NULL,
	customers bigint NOT NULL,
	done_at   timestamptz,
	-- what the chunk adds to the summary; written with done_at
	dropped_qualification  bigint,
	dropped_contact_policy bigint,
	conversion_failures    bigint,
	errors                 bigint,
	PRIMARY KEY (tenant_id, run_id, chunk),
	FOREIGN KEY (tenant_id, run_id) REFERENCES kaireon.campaign_runs ON DELETE CASCADE
);

-- The ledger: what was decided for each customer of a run. Rank 0 says that
-- there is nothing for this customer (status none or error); candidates count
-- from 1, best first.
CREATE TABLE kaireon.campaign_run_results (
	tenant_id   text COLLATE "C" NOT NULL CHECK (tenant_id <> ''),
	run_month   date NOT NULL,
	run_id      text COLLATE "C" NOT NULL,
	customer_id text COLLATE "C" NOT NULL,
	rank        integer NOT NULL,
	status      text NOT NULL
	            CHECK (status IN ('selected', 'candidate', 'dropped', 'none', 'error')),
	offer_id    text COLLATE "C",
	channel_id  text COLLATE "C",
	creative_id text COLLATE "C",
	score       double precision,
	error       text,
	PRIMARY KEY (tenant_id, run_month, run_id, customer_id, rank)
) PARTITION BY RANGE (run_month);
