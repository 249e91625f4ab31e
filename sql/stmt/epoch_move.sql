-- epoch_move: what was compiled of the tenant's configuration holds no longer.
-- params:
-- result: one_row (epoch int8)
-- role: api
-- access: write
UPDATE kaireon.config_epochs AS e
SET epoch = e.epoch + 1, changed_at = pg_catalog.now()
WHERE e.tenant_id = kaireon.tenant_id()
RETURNING e.epoch;
