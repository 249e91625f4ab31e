-- partition_drop: drop a month, unless somebody may keep a row of it.
-- params: parent text, month text, wait_for_export bool
-- result: one_row (dropped bool, purged int8)
-- role: worker
-- access: write
SELECT d.dropped, d.purged
FROM kaireon.partition_drop($1::text, ($2::text || '-01')::date, $3::bool) AS d;
