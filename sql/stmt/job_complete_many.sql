-- job_complete_many: jobs of any tenants are done; the ids of those that were still ours.
-- params: tenant_ids text[], ids text[], fences int8[]
-- result: rows (id text)
-- role: worker
-- access: write
DELETE FROM kaireon.jobs AS j
USING ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::int8[]))
	AS d (tenant_id, id, fence)
WHERE j.tenant_id = d.tenant_id AND j.id = d.id AND j.fence = d.fence
RETURNING j.id;
