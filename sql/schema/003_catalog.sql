-- The nine kinds of the decisioning configuration.
-- Names are unique among live objects; deleting sets deleted_at.

CREATE TABLE kaireon.categories (
	tenant_id     text COLLATE "C" NOT NULL REFERENCES kaireon.tenants,
	id            text COLLATE "C" NOT NULL,
	name          text COLLATE "C" NOT NULL,
	description   text NOT NULL DEFAULT '',
	icon          text NOT NULL DEFAULT '',
	color         text NOT NULL DEFAULT 'blue',
	status        text NOT NULL DEFAULT 'active'
	              CHECK (status IN ('draft', 'active', 'paused', 'archived')),
	ordinal       bigint NOT NULL DEFAULT 0 CHECK (ordinal >= 0),
	custom_fields jsonb NOT NULL DEFAULT '[]',
	version       bigint NOT NULL DEFAULT 1,
	deleted_at    timestamptz,
	created_at    timestamptz NOT NULL DEFAULT now(),
	updated_at    timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX categories_name ON kaireon.categories (tenant_id, name)
	WHERE deleted_at IS NULL;

CREATE TABLE kaireon.sub_categories (
	tenant_id     text COLLATE "C" NOT NULL REFERENCES kaireon.tenants,
	id            text COLLATE "C" NOT NULL,
	name          text COLLATE "C" NOT NULL,
	category_id   text COLLATE "C" NOT NULL,
	description   text NOT NULL DEFAULT '',
	icon          text NOT NULL DEFAULT '',
	color         text NOT NULL DEFAULT 'blue',
	status        text NOT NULL DEFAULT 'active'
	              CHECK (status IN ('draft', 'active', 'paused', 'archived')),
	ordinal       bigint NOT NULL DEFAULT 0 CHECK (ordinal >= 0),
	custom_fields jsonb NOT NULL DEFAULT '[]',
	version       bigint NOT NULL DEFAULT 1,
	deleted_at    timestamptz,
	created_at    timestamptz NOT NULL DEFAULT now(),
	updated_at    timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant_id, id),
	FOREIGN KEY (tenant_id, category_id) REFERENCES kaireon.categories
);
CREATE UNIQUE INDEX sub_categories_name
	ON kaireon.sub_categories (tenant_id, category_id, name)
	WHERE deleted_at IS NULL;

CREATE TABLE kaireon.channels (
	tenant_id       text COLLATE "C" NOT NULL REFERENCES kaireon.tenants,
	id              text COLLATE "C" NOT NULL,
	name            text COLLATE "C" NOT NULL,
	description     text NOT NULL DEFAULT '',
	channel_type    text NOT NULL DEFAULT 'email'
	                CHECK (channel_type IN ('email', 'push', 'sms', 'in_app',
	                       'web', 'webhook', 'whatsapp', 'direct_mail')),
	status          text NOT NULL DEFAULT 'draft'
	                CHECK (status IN ('draft', 'active', 'paused', 'archived')),
	delivery_mode   text NOT NULL DEFAULT 'api'
	                CHECK (delivery_mode IN ('api', 'file', 'integration', 'manual')),
	impression_mode text NOT NULL DEFAULT 'explicit'
	                CHECK (impression_mode IN ('explicit', 'implicit')),
	coupling_mode   text NOT NULL DEFAULT 'partial'
	                CHECK (coupling_mode IN ('partial', 'atomic')),
	provider_config jsonb NOT NULL DEFAULT '{}',
	file_config     jsonb NOT NULL DEFAULT '{}',
	version         bigint NOT NULL DEFAULT 1,
	deleted_at      timestamptz,
	created_at      timestamptz NOT NULL DEFAULT now(),
	updated_at      timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX channels_name ON kaireon.channels (tenant_id, name)
	WHERE deleted_at IS NULL;

CREATE TABLE kaireon.offers (
	tenant_id             text COLLATE "C" NOT NULL REFERENCES kaireon.tenants,
	id                    text COLLATE "C" NOT NULL,
	name                  text COLLATE "C" NOT NULL,
	description           text NOT NULL DEFAULT '',
	short_desc            text NOT NULL DEFAULT '',
	status                text NOT NULL DEFAULT 'draft'
	                      CHECK (status IN ('draft', 'active', 'paused', 'archived')),
	category_id           text COLLATE "C",
	sub_category_id       text COLLATE "C",
	category              text NOT NULL DEFAULT 'engagement',
	offer_group           text NOT NULL DEFAULT '',
	priority              bigint NOT NULL DEFAULT 50 CHECK (priority BETWEEN 0 AND 100),
	business_value        double precision NOT NULL DEFAULT 0,
	mandatory             boolean NOT NULL DEFAULT false,
	mandatory_reason      text,
	mandatory_expires_at  timestamptz,
	mandatory_approved_by text,
	emergency_excluded    boolean NOT NULL DEFAULT false,
	eligibility           jsonb NOT NULL DEFAULT '{}',
	budget                jsonb NOT NULL DEFAULT '{}',
	schedule              jsonb NOT NULL DEFAULT '{}',
	tags                  jsonb NOT NULL DEFAULT '[]',
	product_type          text NOT NULL DEFAULT '',
	margin                double precision,
	revenue_value         double precision,
	metadata              jsonb NOT NULL DEFAULT '{}',
	version               bigint NOT NULL DEFAULT 1,
	deleted_at            timestamptz,
	created_at            timestamptz NOT NULL DEFAULT now(),
	updated_at            timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant_id, id),
	FOREIGN KEY (tenant_id, category_id) REFERENCES kaireon.categories,
	FOREIGN KEY (tenant_id, sub_category_id) REFERENCES kaireon.sub_categories,
	CHECK (NOT mandatory OR (mandatory_reason <> '' AND mandatory_approved_by <> ''
	       AND mandatory_expires_at IS NOT NULL))
);
CREATE UNIQUE INDEX offers_name ON kaireon.offers (tenant_id, name)
	WHERE deleted_at IS NULL;

CREATE TABLE kaireon.creatives (
	tenant_id       text COLLATE "C" NOT NULL REFERENCES kaireon.tenants,
	id              text COLLATE "C" NOT NULL,
	name            text COLLATE "C" NOT NULL,
	offer_id        text COLLATE "C" NOT NULL,
	channel_id      text COLLATE "C" NOT NULL,
	placement_id    text,
	content_item_id text,
	status          text NOT NULL DEFAULT 'draft'
	                CHECK (status IN ('draft', 'active', 'paused', 'archived')),
	template_type   text NOT NULL DEFAULT 'email_html'
	                CHECK (template_type IN ('email_html', 'email_text',
	                       'push_notification', 'sms_text', 'in_app_banner',
	                       'in_app_modal', 'in_app_card', 'web_banner',
	                       'web_overlay', 'webhook_payload', 'whatsapp_template')),
	content         jsonb NOT NULL DEFAULT '{}',
	personalization jsonb NOT NULL DEFAULT '[]',
	constraints     jsonb NOT NULL DEFAULT '{}',
	ab_test_variant text,
	weight          bigint NOT NULL DEFAULT 100 CHECK (weight BETWEEN 0 AND 100),
	metrics         jsonb NOT NULL DEFAULT '{}',
	version         bigint NOT NULL DEFAULT 1,
	deleted_at      timestamptz,
	created_at      timestamptz NOT NULL DEFAULT now(),
	updated_at      timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant_id, id),
	FOREIGN KEY (tenant_id, offer_id) REFERENCES kaireon.offers,
	FOREIGN KEY (tenant_id, channel_id) REFERENCES kaireon.channels
);
CREATE UNIQUE INDEX creatives_name ON kaireon.creatives (tenant_id, name)
	WHERE deleted_at IS NULL;

-- scope_id is the id of an object whose kind the scope names.
CREATE TABLE kaireon.qualification_rules (
	tenant_id   text COLLATE "C" NOT NULL REFERENCES kaireon.tenants,
	id          text COLLATE "C" NOT NULL,
	name        text COLLATE "C" NOT NULL,
	description text NOT NULL DEFAULT '',
	status      text NOT NULL DEFAULT 'active'
	            CHECK (status IN ('draft', 'active', 'paused', 'archived')),
	scope       text NOT NULL DEFAULT 'global'
	            CHECK (scope IN ('global', 'segment', 'channel', 'category',
	                   'subcategory', 'offer', 'creative', 'placement')),
	scope_id    text COLLATE "C",
	rule_type   text NOT NULL
	            CHECK (rule_type IN ('segment_required', 'attribute_condition',
	                   'propensity_threshold', 'recency_check', 'metric_condition')),
	stage       text NOT NULL
	            CHECK (stage IN ('eligibility', 'fit', 'match', 'ranking')),
	config      jsonb NOT NULL DEFAULT '{}',
	priority    bigint NOT NULL DEFAULT 50 CHECK (priority BETWEEN 0 AND 100),
	version     bigint NOT NULL DEFAULT 1,
	deleted_at  timestamptz,
	created_at  timestamptz NOT NULL DEFAULT now(),
	updated_at  timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant_id, id),
	CHECK ((scope = 'global') = (scope_id IS NULL))
);
CREATE UNIQUE INDEX qualification_rules_name
	ON kaireon.qualification_rules (tenant_id, name) WHERE deleted_at IS NULL;

CREATE TABLE kaireon.contact_policies (
	tenant_id   text COLLATE "C" NOT NULL REFERENCES kaireon.tenants,
	id          text COLLATE "C" NOT NULL,
	name        text COLLATE "C" NOT NULL,
	description text NOT NULL DEFAULT '',
	status      text NOT NULL DEFAULT 'active'
	            CHECK (status IN ('draft', 'active', 'paused', 'archived')),
	scope       text NOT NULL DEFAULT 'offer'
	            CHECK (scope IN ('global', 'offer', 'creative', 'channel',
	                   'category', 'subcategory')),
	scope_id    text COLLATE "C",
	rule_type   text NOT NULL
	            CHECK (rule_type IN ('frequency_cap', 'cooldown',
	                   'budget_exhausted', 'outcome_based', 'segment_exclusion',
	                   'time_window', 'mutual_exclusion', 'cross_channel_cap',
	                   'customer_total_cap', 'allow_override',
	                   'category_suppression', 'metric_condition')),
	config      jsonb NOT NULL DEFAULT '{}',
	priority    bigint NOT NULL DEFAULT 50 CHECK (priority BETWEEN 0 AND 100),
	version     bigint NOT NULL DEFAULT 1,
	deleted_at  timestamptz,
	created_at  timestamptz NOT NULL DEFAULT now(),
	updated_at  timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant_id, id),
	CHECK ((scope = 'global') = (scope_id IS NULL))
);
CREATE UNIQUE INDEX contact_policies_name
	ON kaireon.contact_policies (tenant_id, name) WHERE deleted_at IS NULL;

CREATE TABLE kaireon.ranking_profiles (
	tenant_id   text COLLATE "C" NOT NULL REFERENCES kaireon.tenants,
	id          text COLLATE "C" NOT NULL,
	name        text COLLATE "C" NOT NULL,
	key         text COLLATE "C" NOT NULL CHECK (key ~ '^[a-z0-9_-]{1,100}$'),
	description text NOT NULL DEFAULT '',
	weights     jsonb NOT NULL DEFAULT '{}',
	version     bigint NOT NULL DEFAULT 1,
	deleted_at  timestamptz,
	created_at  timestamptz NOT NULL DEFAULT now(),
	updated_at  timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX ranking_profiles_name
	ON kaireon.ranking_profiles (tenant_id, name) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX ranking_profiles_key
	ON kaireon.ranking_profiles (tenant_id, key) WHERE deleted_at IS NULL;

CREATE TABLE kaireon.decision_flows (
	tenant_id         text COLLATE "C" NOT NULL REFERENCES kaireon.tenants,
	id                text COLLATE "C" NOT NULL,
	name              text COLLATE "C" NOT NULL,
	key               text COLLATE "C" NOT NULL CHECK (key <> ''),
	description       text NOT NULL DEFAULT '',
	status            text NOT NULL DEFAULT 'draft'
	                  CHECK (status IN ('draft', 'active', 'paused', 'archived')),
	auto_assembly     boolean NOT NULL DEFAULT true,
	is_default        boolean NOT NULL DEFAULT false,
	coupling_override text CHECK (coupling_override IN ('partial', 'atomic')),
	draft_config      jsonb NOT NULL
	                  DEFAULT '{"version": 2, "nodes": [], "flowConfig": {}}',
	published_version bigint,          -- the current row of decision_flow_versions
	row_version       bigint NOT NULL DEFAULT 1,
	version           bigint NOT NULL DEFAULT 1,
	deleted_at        timestamptz,
	created_at        timestamptz NOT NULL DEFAULT now(),
	updated_at        timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX decision_flows_name
	ON kaireon.decision_flows (tenant_id, name) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX decision_flows_key
	ON kaireon.decision_flows (tenant_id, key) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX decision_flows_default
	ON kaireon.decision_flows (tenant_id) WHERE is_default AND deleted_at IS NULL;

-- What publishing froze. Never changed.
CREATE TABLE kaireon.decision_flow_versions (
	tenant_id    text COLLATE "C" NOT NULL,
	flow_id      text COLLATE "C" NOT NULL,
	version      bigint NOT NULL,
	config       jsonb NOT NULL,
	notes        text NOT NULL DEFAULT '',
	published_by text NOT NULL DEFAULT '',
	published_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant_id, flow_id, version),
	FOREIGN KEY (tenant_id, flow_id) REFERENCES kaireon.decision_flows
);
