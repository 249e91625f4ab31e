-- What happened with customers, partitioned by month.

CREATE TABLE kaireon.interaction_history (
	tenant_id         text COLLATE "C" NOT NULL CHECK (tenant_id <> ''),
	id                text COLLATE "C" NOT NULL,
	customer_id       text COLLATE "C" NOT NULL,
	interaction_type  text NOT NULL,
	direction         text NOT NULL,
	outcome           text,
	offer_id          text COLLATE "C",
	creative_id       text COLLATE "C",
	channel_id        text COLLATE "C",
	campaign_id       text COLLATE "C",
	campaign_run_id   text COLLATE "C",
	recommendation_id text COLLATE "C",
	rank              integer,
	score             double precision,
	conversion_value  double precision,
	context           jsonb,
	created_at        timestamptz NOT NULL,
	-- the transaction that wrote the row: incremental readers stop below
	-- pg_snapshot_xmin, so a row that commits late is never passed by
	commit_xid        xid8 NOT NULL DEFAULT pg_current_xact_id(),
	PRIMARY KEY (tenant_id, created_at, id)
) PARTITION BY RANGE (created_at);
CREATE INDEX interaction_history_commit
	ON kaireon.interaction_history (tenant_id, commit_xid, id);
-- contact counts of a range of customers
CREATE INDEX interaction_history_contact
	ON kaireon.interaction_history (tenant_id, customer_id, created_at)
	WHERE interaction_type = 'impression' AND direction = 'outbound';
