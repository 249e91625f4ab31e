-- The export after a restore into another cluster.

-- What the lake has, while kaireonctl export rebase works on a tenant.
CREATE UNLOGGED TABLE kaireon.export_rebase (
	tenant_id  text COLLATE "C" NOT NULL REFERENCES kaireon.tenants,
	number     bigint NOT NULL, -- of the file
	id         text COLLATE "C" NOT NULL,
	created_at timestamptz NOT NULL, -- in milliseconds, as the lake has it
	CONSTRAINT tenant_named CHECK (tenant_id <> '')
);
CREATE INDEX export_rebase_row ON kaireon.export_rebase (tenant_id, id, created_at);
SELECT kaireon.tenant_wall('kaireon.export_rebase');
