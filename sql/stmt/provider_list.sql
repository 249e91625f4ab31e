-- provider_list: the tenant's providers, and the kinds that there are.
-- params:
-- result: one_row (document text)
-- role: api
-- access: read
SELECT pg_catalog.json_build_object(
	'data', coalesce((SELECT pg_catalog.json_agg(kaireon.provider_document(p) ORDER BY p.created_at, p.id)
	         FROM kaireon.notification_providers AS p
	         WHERE p.tenant_id = kaireon.tenant_id() AND p.deleted_at IS NULL), '[]'),
	'kinds', '[{"kind": "slack", "displayName": "Slack"}, {"kind": "teams", "displayName": "Microsoft Teams"},
	           {"kind": "webhook", "displayName": "Webhook"}, {"kind": "ops_email", "displayName": "E-mail"}]'::json)::text;
