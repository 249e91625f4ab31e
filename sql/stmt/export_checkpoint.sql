-- export_checkpoint: the tenant's checkpoint, made when there is none.
-- params:
-- result: none
-- role: owner, worker
-- access: write
INSERT INTO kaireon.export_checkpoints (tenant_id, stream, system_identifier)
SELECT kaireon.tenant_id(), 'interaction_history', c.system_identifier::text
FROM pg_catalog.pg_control_system() AS c
ON CONFLICT (tenant_id, stream) DO NOTHING;
