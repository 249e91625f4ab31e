-- cleanup_checkpoints: a checkpoint for every tenant: what is not there cannot be locked.
-- params:
-- result: none
-- role: worker
-- access: write
INSERT INTO kaireon.export_checkpoints (tenant_id, stream, system_identifier)
SELECT t.tenant_id, 'interaction_history', s.system_identifier::text
FROM kaireon.tenants AS t, pg_catalog.pg_control_system() AS s
ON CONFLICT (tenant_id, stream) DO NOTHING;
