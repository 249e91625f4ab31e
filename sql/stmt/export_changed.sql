-- export_changed: was the export's checkpoint made in another cluster?
-- params:
-- result: zero_or_one (changed bool, last_path text, intent_path text, files int8)
-- role: owner
-- access: read
SELECT p.system_identifier <> c.system_identifier::text, p.last_path, p.intent_path, p.files_total
FROM kaireon.export_checkpoints AS p, pg_catalog.pg_control_system() AS c
WHERE p.tenant_id = kaireon.tenant_id() AND p.stream = 'interaction_history';
