-- reset_some: some of what the tenant has; 0 when nothing is left.
-- params: max_rows int8
-- result: one_row (gone int8)
-- role: api
-- access: write
SELECT r.gone FROM kaireon.tenant_reset_some($1::int8) AS r (gone);
