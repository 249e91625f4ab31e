-- alert_delete: a rule goes, with what it told.
-- params: id text
-- result: none
-- role: api
-- access: write
DELETE FROM kaireon.alert_rules AS r
WHERE r.tenant_id = kaireon.tenant_id() AND r.id = $1::text;
