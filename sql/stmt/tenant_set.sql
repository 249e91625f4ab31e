-- tenant_set: this transaction speaks for a tenant.
-- params: tenant_id text
-- result: none
-- role: worker, owner
-- access: read
SELECT FROM kaireon.tenant_set($1::text);
