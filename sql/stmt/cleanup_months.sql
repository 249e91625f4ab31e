-- cleanup_months: months that are over for some tenant: they may be dropped, when
-- nobody keeps them.
-- params:
-- result: rows (parent text, month text)
-- role: worker
-- access: read
SELECT r.parent, pg_catalog.to_char(m.month, 'YYYY-MM')
FROM (VALUES ('interaction_history', 'interactions'), ('decision_traces', 'decisions'))
     AS r (parent, data_class)
JOIN pg_catalog.pg_inherits AS i
  ON i.inhparent = ('kaireon.' || r.parent)::regclass
JOIN pg_catalog.pg_class AS p ON p.oid = i.inhrelid
CROSS JOIN LATERAL (
	SELECT pg_catalog.to_date(pg_catalog.right(p.relname, 7), 'YYYY_MM') AS month) AS m
WHERE EXISTS (SELECT FROM kaireon.retention_configs AS c
              WHERE c.data_class = r.data_class
                AND pg_catalog.now() - c.retention_days * interval '1 day'
                    >= (m.month + interval '1 month') AT TIME ZONE 'UTC')
ORDER BY 1, 2;
