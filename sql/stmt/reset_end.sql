-- reset_end: what a tenant has from the beginning is as it was then.
-- params:
-- result: none
-- role: api
-- access: write
SELECT FROM kaireon.tenant_reset_end();
