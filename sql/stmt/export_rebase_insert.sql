-- export_rebase_insert: rows that a file of the lake has.
-- params: number int8, ids text[], times text[]
-- result: none
-- role: owner
-- access: write
INSERT INTO kaireon.export_rebase (tenant_id, number, id, created_at)
SELECT kaireon.tenant_id(), $1::int8, r.id, r.created_at::timestamptz
FROM unnest($2::text[], $3::text[]) AS r (id, created_at);
