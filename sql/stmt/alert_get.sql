-- alert_get: an alert rule.
-- params: id text
-- result: zero_or_one (document text)
-- role: api
-- access: read
SELECT kaireon.alert_document(r)::text
FROM kaireon.alert_rules AS r
WHERE r.tenant_id = kaireon.tenant_id() AND r.id = $1::text;
