-- What is kept of changes: audit, revisions, exports, cron calls.

-- A SHA-256 chain per tenant; the head row is locked by whoever appends.
CREATE TABLE kaireon.audit_logs (
	tenant_id   text COLLATE "C" NOT NULL CHECK (tenant_id <> ''),
	id          text COLLATE "C" NOT NULL,
	seq         bigint NOT NULL,
	action      text NOT NULL,
	entity_type text NOT NULL,
	entity_id   text,
	entity_name text,
	changes     jsonb,
	before      jsonb,
	after       jsonb,
	actor_id    text NOT NULL,  -- id of the API key, or kaireonctl, cron, worker
	actor_name  text NOT NULL,
	request_id  text,
	created_at  timestamptz NOT NULL,
	prev_hash   text NOT NULL,
	hash        text NOT NULL,
	PRIMARY KEY (tenant_id, created_at, id)
) PARTITION BY RANGE (created_at);

CREATE TABLE kaireon.audit_heads (
	tenant_id     text COLLATE "C" NOT NULL PRIMARY KEY REFERENCES kaireon.tenants,
	seq           bigint NOT NULL DEFAULT 0,
	hash          text NOT NULL DEFAULT '',
	anchor_seq    bigint NOT NULL DEFAULT 0,  -- rows up to it were purged
	anchor_hash   text NOT NULL DEFAULT '',
	anchor_count  bigint NOT NULL DEFAULT 0
);

CREATE TABLE kaireon.gitops_revisions (
	tenant_id  text COLLATE "C" NOT NULL REFERENCES kaireon.tenants,
	revision   bigint NOT NULL,
	applied_at timestamptz NOT NULL DEFAULT now(),
	actor      text NOT NULL,
	summary    jsonb NOT NULL,
	audit_id   text NOT NULL,
	bundle     jsonb NOT NULL, -- the whole export after the apply
	PRIMARY KEY (tenant_id, revision)
);

CREATE TABLE kaireon.gitops_snapshots (
	tenant_id text COLLATE "C" NOT NULL PRIMARY KEY REFERENCES kaireon.tenants,
	revision  bigint NOT NULL,
	bundle    jsonb NOT NULL,
	taken_at  timestamptz NOT NULL DEFAULT now(),
	actor     text NOT NULL
);

-- Where the export of a tenant stands; the intent is the batch under way.
CREATE TABLE kaireon.export_checkpoints (
	tenant_id         text COLLATE "C" NOT NULL REFERENCES kaireon.tenants,
	stream            text NOT NULL CHECK (stream IN ('interaction_history')),
	system_identifier text NOT NULL,
	commit_xid        xid8 NOT NULL DEFAULT '0',  -- exported up to and with
	id                text COLLATE "C" NOT NULL DEFAULT '',
	rows_total        bigint NOT NULL DEFAULT 0,
	status            text NOT NULL DEFAULT 'ok' CHECK (status IN ('ok', 'failed')),
	error             text,
	intent_commit_xid xid8,
	intent_id         text COLLATE "C",
	intent_at         timestamptz,
	intent_path       text,
	last_path         text,
	last_rows         bigint,
	last_bytes        bigint,
	last_sha256       text,
	exported_at       timestamptz,
	PRIMARY KEY (tenant_id, stream)
);

-- The ledger of cron calls. Not a tenant's: totals only; the per-tenant parts
-- are in cron_run_tenants.
CREATE TABLE kaireon.cron_runs (
	id          text COLLATE "C" NOT NULL PRIMARY KEY,
	job         text NOT NULL,
	started_at  timestamptz NOT NULL DEFAULT now(),
	finished_at timestamptz,
	ok          boolean,
	complete    boolean,
	totals      jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX cron_runs_newest ON kaireon.cron_runs (job, started_at DESC);

CREATE TABLE kaireon.cron_run_tenants (
	tenant_id   text COLLATE "C" NOT NULL REFERENCES kaireon.tenants,
	cron_run_id text COLLATE "C" NOT NULL REFERENCES kaireon.cron_runs ON DELETE CASCADE,
	result      jsonb NOT NULL,
	PRIMARY KEY (tenant_id, cron_run_id)
);
