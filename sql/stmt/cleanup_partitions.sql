-- cleanup_partitions: the months that each partitioned table needs from now on.
-- params:
-- result: rows (parent text, month text, exists bool)
-- role: worker
-- access: read
SELECT p.relname::text, pg_catalog.to_char(m.month, 'YYYY-MM'),
       to_regclass('kaireon.' || pg_catalog.quote_ident(p.relname || to_char(m.month, '"_"YYYY_MM'))) IS NOT NULL
FROM pg_catalog.pg_partitioned_table AS t
JOIN pg_catalog.pg_class AS p ON p.oid = t.partrelid
CROSS JOIN generate_series(0, 3) AS n
CROSS JOIN LATERAL (
	SELECT pg_catalog.date_trunc('month', pg_catalog.now() AT TIME ZONE 'UTC')
	       + n * interval '1 month' AS month) AS m
WHERE p.relnamespace = 'kaireon'::regnamespace
ORDER BY 1, 2;
