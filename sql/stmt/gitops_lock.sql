-- gitops_lock: one apply of a tenant at a time.
-- params:
-- result: none
-- role: api, owner
-- access: write
SELECT FROM kaireon.config_epochs AS e
WHERE e.tenant_id = kaireon.tenant_id()
FOR UPDATE OF e;
