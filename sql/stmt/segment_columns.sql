-- segment_columns: the columns of a segment's view or of a data table.
-- params: space text, view_name text
-- result: rows (name text, type text)
-- role: worker, owner, api
-- access: read
SELECT a.attname::text, pg_catalog.format_type(a.atttypid, a.atttypmod)
FROM pg_catalog.pg_attribute AS a
JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = $1::text AND c.relname = $2::text
  AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum;
