-- Deliveries that failed and will be tried again: their providers get one place at a time.
CREATE INDEX outbox_events_failing ON kaireon.outbox_events (tenant_id, provider_id)
	WHERE status IN ('pending', 'processing') AND errors <> '[]';

-- What alert rules told is purged by its age.
CREATE INDEX alert_events_old ON kaireon.alert_events (created_at);
GRANT DELETE ON kaireon.alert_events TO kaireon_worker;
