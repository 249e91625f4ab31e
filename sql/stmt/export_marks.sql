-- export_marks: what purges took of exported interactions, by month.
-- params:
-- result: rows (month text, purged_before timestamptz, exported_rows int8)
-- role: owner, worker
-- access: read
SELECT pg_catalog.to_char(m.month, 'YYYY-MM'), m.purged_before, m.exported_rows
FROM kaireon.purge_marks AS m
WHERE m.tenant_id = kaireon.tenant_id() AND m.table_name = 'interaction_history'
ORDER BY m.month;
