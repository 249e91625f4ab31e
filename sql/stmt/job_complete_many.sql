-- job_complete_many: jobs of any tenants are done; the ids of those that were still ours.
-- They are found at the place where the claim left them. A job whose lease was renewed has
-- moved, and is looked for by its key, in the order that only the key has (job_by_index).
-- The places alone are joined with the table: with more, a table that is believed to be
-- empty would be read along an index.
-- params: tenant_ids text[], ids text[], fences int8[], places text[]
-- result: rows (id text)
-- role: worker
-- access: write
WITH done AS MATERIALIZED (
	SELECT d.tenant_id, d.id, d.fence, d.place::tid AS place
	FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[]),
	                pg_catalog.unnest($3::int8[]), pg_catalog.unnest($4::text[]))
		AS d (tenant_id, id, fence, place)
), stayed AS (
	DELETE FROM kaireon.jobs AS j
	USING done AS d
	CROSS JOIN LATERAL (
		SELECT k.ctid AS place
		FROM kaireon.jobs AS k
		WHERE k.ctid = d.place AND k.tenant_id = d.tenant_id AND k.id = d.id AND k.fence = d.fence
		LIMIT 1) AS f
	WHERE j.ctid = f.place
	RETURNING j.tenant_id, j.id
), moved AS (
	DELETE FROM kaireon.jobs AS j
	USING done AS d
	CROSS JOIN LATERAL (
		SELECT k.ctid AS place
		FROM kaireon.jobs AS k
		WHERE k.tenant_id = d.tenant_id AND k.id BETWEEN d.id AND d.id AND k.fence = d.fence
		ORDER BY k.id
		LIMIT 1
		FOR UPDATE OF k) AS f
	WHERE j.ctid = f.place
	  AND (SELECT count(*) FROM stayed) < (SELECT count(*) FROM done)
	  AND NOT EXISTS (SELECT FROM stayed AS s WHERE s.tenant_id = d.tenant_id AND s.id = d.id)
	RETURNING j.id
)
SELECT s.id FROM stayed AS s
UNION ALL
SELECT m.id FROM moved AS m;
