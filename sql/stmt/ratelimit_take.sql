-- ratelimit_take: take a call of a limit, if its window has room. The row is locked
-- before its moments are looked at, so they are in order. A crash of the server may
-- forget the last second's calls: that is worth not to wait for the disk.
-- params: name text, quota int8, window_seconds int8
-- result: one_row (accepted bool, remaining int8, reset_seconds int8)
-- role: api, worker
-- access: write
INSERT INTO kaireon.rate_limit_hits AS r (tenant_id, name, hits, accepted)
SELECT kaireon.tenant_id(), $1::text, ARRAY[pg_catalog.clock_timestamp()], true
WHERE pg_catalog.set_config('synchronous_commit', 'off', true) = 'off'
ON CONFLICT (tenant_id, name) DO UPDATE
SET (hits, accepted) = (
	SELECT CASE WHEN pg_catalog.cardinality(w.hits) < $2::int8
	       THEN w.hits || pg_catalog.clock_timestamp() ELSE w.hits END,
	       pg_catalog.cardinality(w.hits) < $2::int8
	FROM (SELECT ARRAY(SELECT h.at FROM pg_catalog.unnest(r.hits) WITH ORDINALITY AS h (at, n)
	             WHERE h.at > pg_catalog.clock_timestamp() - $3::int8 * interval '1 second'
	             ORDER BY h.n) AS hits) AS w)
RETURNING r.accepted, $2::int8 - pg_catalog.cardinality(r.hits),
	greatest(1, ceil(extract(epoch FROM r.hits[1] - pg_catalog.clock_timestamp()) + $3::int8))::int8;
