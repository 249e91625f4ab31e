-- report_anomaly_candidates: days on which an offer was shown far more or less than it is otherwise: by two standard deviations. Of whole days, UTC, from the first on which it was shown.
-- params: since timestamptz, until timestamptz
-- result: one_row (rows text)
-- role: api, worker
-- access: read
WITH span AS (
	SELECT g::date AS day
	FROM pg_catalog.generate_series(
		pg_catalog.date_trunc('day', ($1::timestamptz AT TIME ZONE 'UTC') + interval '1 day' - interval '1 microsecond'),
		pg_catalog.date_trunc('day', $2::timestamptz AT TIME ZONE 'UTC') - interval '1 day', interval '1 day') AS g
), seen AS (
	SELECT coalesce(i.offer_id, '') AS offer_id, (i.created_at AT TIME ZONE 'UTC')::date AS day, count(*) AS nr
	FROM kaireon.interaction_history AS i
	WHERE i.tenant_id = kaireon.tenant_id() AND i.interaction_type = 'impression'
	  AND i.created_at >= $1::timestamptz AND i.created_at < $2::timestamptz
	GROUP BY 1, 2
), day AS (
	SELECT f.offer_id, s.day, coalesce(n.nr, 0) AS nr
	FROM (SELECT e.offer_id, min(e.day) AS day FROM seen AS e JOIN span AS w ON w.day = e.day GROUP BY 1) AS f
	JOIN span AS s ON s.day >= f.day
	LEFT JOIN seen AS n ON n.offer_id = f.offer_id AND n.day = s.day
), judged AS (
	SELECT d.*, avg(d.nr) OVER w AS mean, stddev_samp(d.nr) OVER w AS deviation, count(*) OVER w AS days
	FROM day AS d
	WINDOW w AS (PARTITION BY d.offer_id)
), odd AS (
	SELECT j.*, (j.nr - j.mean) / j.deviation AS score
	FROM judged AS j
	WHERE j.days >= 5 AND j.deviation > 0 AND abs(j.nr - j.mean) >= 2 * j.deviation
	ORDER BY abs((j.nr - j.mean) / j.deviation) DESC, j.day, j.offer_id
	LIMIT 50
)
SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_array(coalesce(f.name, nullif(o.offer_id, ''), '(none)'), o.day, o.nr,
	o.mean::float8, o.score::float8) ORDER BY abs(o.score) DESC, o.day, o.offer_id), '[]')::text
FROM odd AS o
LEFT JOIN kaireon.offers AS f ON f.tenant_id = kaireon.tenant_id() AND f.id = o.offer_id;
