-- The export: a row for each published file.

-- Files in the order of their rows: the first is number 1, and each begins
-- where the one before it ended. With a file's row commits the checkpoint's
-- move to its end.
CREATE TABLE kaireon.export_files (
	tenant_id       text COLLATE "C" NOT NULL REFERENCES kaireon.tenants,
	stream          text NOT NULL CHECK (stream IN ('interaction_history')),
	number          bigint NOT NULL CHECK (number > 0),
	path            text COLLATE "C" NOT NULL, -- below EXPORT_URL
	from_commit_xid xid8 NOT NULL,
	from_id         text COLLATE "C" NOT NULL, -- exclusive
	to_commit_xid   xid8 NOT NULL,
	to_id           text COLLATE "C" NOT NULL, -- inclusive
	rows            bigint NOT NULL,
	bytes           bigint NOT NULL,
	sha256          text NOT NULL,
	exported_at     timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant_id, stream, number),
	UNIQUE (tenant_id, path),
	CONSTRAINT tenant_named CHECK (tenant_id <> '')
);
SELECT kaireon.tenant_wall('kaireon.export_files');

-- The time in the path of the last batch; the next one's is later, whatever
-- the clock does.
ALTER TABLE kaireon.export_checkpoints
	ADD COLUMN files_total bigint NOT NULL DEFAULT 0,
	ADD COLUMN path_at timestamptz NOT NULL DEFAULT '-infinity';

GRANT SELECT, INSERT ON kaireon.export_files TO kaireon_worker;
