-- export_rebase_file: a file that the lake has and this database did not know.
-- params: number int8, path text, rows int8, bytes int8, sha256 text
-- result: none
-- role: owner
-- access: write
INSERT INTO kaireon.export_files (tenant_id, stream, number, path, from_commit_xid, from_id,
	to_commit_xid, to_id, rows, bytes, sha256)
VALUES (kaireon.tenant_id(), 'interaction_history', $1::int8, $2::text, '0', '', '0', '',
        $3::int8, $4::int8, $5::text);
