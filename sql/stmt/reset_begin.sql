-- reset_begin: a playground is to be emptied: its runs are cancelled first; how many, and
-- how many decisions the tenant has made.
-- params:
-- result: one_row (cancelled int8, decisions int8)
-- role: api
-- access: write
SELECT r.cancelled, t.decision_count::int8
FROM kaireon.tenant_reset_begin() AS r (cancelled), kaireon.tenants AS t
WHERE t.tenant_id = kaireon.tenant_id();
