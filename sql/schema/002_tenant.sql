-- Tenants, their keys and settings.

CREATE TABLE kaireon.tenants (
	tenant_id      text COLLATE "C" NOT NULL PRIMARY KEY
	               CHECK (tenant_id ~ '^[a-z0-9][a-z0-9_-]{0,47}$'),
	name           text NOT NULL CHECK (name <> ''),
	status         text NOT NULL DEFAULT 'active'
	               CHECK (status IN ('active', 'suspended')),
	is_playground  boolean NOT NULL DEFAULT false,
	legal_hold     boolean NOT NULL DEFAULT false,
	time_zone      text NOT NULL DEFAULT 'UTC',
	decision_count bigint NOT NULL DEFAULT 0,
	settings       jsonb NOT NULL DEFAULT '{}',
	created_at     timestamptz NOT NULL DEFAULT now(),
	updated_at     timestamptz NOT NULL DEFAULT now()
);

-- Only the HMAC-SHA256 of a key is stored, under API_KEY_PEPPER.
CREATE TABLE kaireon.api_keys (
	tenant_id    text COLLATE "C" NOT NULL REFERENCES kaireon.tenants,
	id           text COLLATE "C" NOT NULL,
	name         text NOT NULL CHECK (name <> ''),
	role         text NOT NULL CHECK (role IN ('viewer', 'editor', 'admin')),
	key_hash     bytea NOT NULL UNIQUE CHECK (length(key_hash) = 32),
	prefix       text NOT NULL,
	scopes       jsonb NOT NULL DEFAULT '[]',
	expires_at   timestamptz,
	last_used_at timestamptz,
	revoked_at   timestamptz,
	created_at   timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant_id, id)
);

-- One row a tenant; every change of decisioning configuration bumps it.
CREATE TABLE kaireon.config_epochs (
	tenant_id  text COLLATE "C" NOT NULL PRIMARY KEY REFERENCES kaireon.tenants,
	epoch      bigint NOT NULL DEFAULT 1,
	revision   bigint NOT NULL DEFAULT 0, -- last row of gitops_revisions
	changed_at timestamptz NOT NULL DEFAULT now()
);
