-- gitops_revision: the last revision of the configuration.
-- params:
-- result: one_row (revision int8)
-- role: api, owner
-- access: read
SELECT e.revision
FROM kaireon.config_epochs AS e
WHERE e.tenant_id = kaireon.tenant_id();
