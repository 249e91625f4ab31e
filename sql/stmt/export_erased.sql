-- export_erased: interactions that were erased with their customer.
-- params:
-- result: rows (id text)
-- role: owner, worker
-- access: read
SELECT e.id
FROM kaireon.erased_interactions AS e
WHERE e.tenant_id = kaireon.tenant_id();
