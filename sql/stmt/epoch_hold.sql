-- epoch_hold: whoever decides holds the tenant's configuration epoch until the commit: a
-- flush waits for it, and what begins after the flush sees the next epoch.
-- params:
-- result: one_row (epoch int8)
-- role: api, worker
-- access: write
SELECT e.epoch
FROM kaireon.config_epochs AS e
WHERE e.tenant_id = kaireon.tenant_id()
FOR SHARE OF e;
