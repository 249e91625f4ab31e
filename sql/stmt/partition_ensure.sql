-- partition_ensure: the partition of a month; false when it was there.
-- params: parent text, month text
-- result: one_row (made bool)
-- role: worker
-- access: write
SELECT kaireon.partition_ensure($1::text, ($2::text || '-01')::date);
