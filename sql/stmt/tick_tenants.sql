-- tick_tenants: how many tenants are active.
-- params:
-- result: one_row (tenants int8)
-- role: worker
-- access: read
SELECT count(*) FROM kaireon.tenants AS t WHERE t.status = 'active';
