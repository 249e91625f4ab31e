-- export_rebase_clear: nothing is noted of the tenant's lake.
-- params:
-- result: none
-- role: owner
-- access: write
DELETE FROM kaireon.export_rebase AS r WHERE r.tenant_id = kaireon.tenant_id();
