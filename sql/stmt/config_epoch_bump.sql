-- config_epoch_bump: the configuration changed: who decides with it compiles anew.
-- params:
-- result: none
-- role: api, owner
-- access: write
UPDATE kaireon.config_epochs AS e
SET epoch = e.epoch + 1, changed_at = pg_catalog.now()
WHERE e.tenant_id = kaireon.tenant_id();
