-- job_complete_many: jobs of any tenants are done; the ids of those that were still ours.
-- One look by the key for each, however many jobs the planner believes in.
-- params: tenant_ids text[], ids text[], fences int8[]
-- result: rows (id text)
-- role: worker
-- access: write
DELETE FROM kaireon.jobs AS j
USING ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::int8[]))
	AS d (tenant_id, id, fence)
CROSS JOIN LATERAL (
	SELECT k.ctid AS place_of
	FROM kaireon.jobs AS k
	WHERE k.tenant_id = d.tenant_id AND k.id = d.id AND k.fence = d.fence
	LIMIT 1
	FOR UPDATE OF k) AS f
WHERE j.ctid = f.place_of
RETURNING j.id;
