-- zone_offsets: the UTC offset of a time zone at the begin of a span, and each
-- change of it until the span's end, to the second. Days that begin and end
-- with different offsets are looked at by quarter hours, those by seconds; two
-- changes within a day that undo each other are in no zone. Offsets are compared
-- as "abs(sign(…)) = 1", of which the planner expects few rows: for "<>" it
-- expects millions and has the statement compiled, which takes 0.2 s.
-- params: time_zone text, since timestamptz, until timestamptz
-- result: rows (at timestamptz, seconds int8)
-- role: api, worker, owner
-- access: read
WITH days AS (
	SELECT pg_catalog.lag(o.at) OVER (ORDER BY o.at) AS since, o.at,
	       pg_catalog.lag(o.seconds) OVER (ORDER BY o.at) AS was, o.seconds
	FROM (SELECT d.at, pg_catalog.extract('epoch', pg_catalog.timezone($1::text, d.at)
	                                      - pg_catalog.timezone('UTC', d.at)) AS seconds
	      -- days would be those of the session's time zone
	      FROM pg_catalog.generate_series($2::timestamptz, $3::timestamptz + '24 hours'::interval,
	                                      '24 hours'::interval) AS d (at)) AS o
), quarters AS (
	SELECT pg_catalog.lag(o.at) OVER (PARTITION BY o.day ORDER BY o.at) AS since, o.at,
	       pg_catalog.lag(o.seconds) OVER (PARTITION BY o.day ORDER BY o.at) AS was, o.seconds
	FROM (SELECT d.at AS day, q.at, pg_catalog.extract('epoch', pg_catalog.timezone($1::text, q.at)
	                                                   - pg_catalog.timezone('UTC', q.at)) AS seconds
	      FROM days AS d
	      CROSS JOIN LATERAL pg_catalog.generate_series(d.since, d.at, '15 minutes'::interval) AS q (at)
	      WHERE pg_catalog.abs(pg_catalog.sign(d.was - d.seconds)) = 1) AS o
), changes AS (
	SELECT o.at, pg_catalog.lag(o.seconds) OVER (PARTITION BY o.quarter ORDER BY o.at) AS was, o.seconds
	FROM (SELECT q.at AS quarter, s.at, pg_catalog.extract('epoch', pg_catalog.timezone($1::text, s.at)
	                                                       - pg_catalog.timezone('UTC', s.at)) AS seconds
	      FROM quarters AS q
	      CROSS JOIN LATERAL pg_catalog.generate_series(q.since, q.at, '1 second'::interval) AS s (at)
	      WHERE pg_catalog.abs(pg_catalog.sign(q.was - q.seconds)) = 1) AS o
)
SELECT d.at, d.seconds::int8 FROM days AS d WHERE d.since IS NULL
UNION ALL
SELECT c.at, c.seconds::int8 FROM changes AS c WHERE pg_catalog.abs(pg_catalog.sign(c.was - c.seconds)) = 1 AND c.at <= $3::timestamptz
ORDER BY 1;
