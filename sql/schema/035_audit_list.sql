-- Filters of the audit log: a page and its count look at what they show.

CREATE INDEX audit_logs_action ON kaireon.audit_logs (tenant_id, action, seq);
CREATE INDEX audit_logs_entity_type ON kaireon.audit_logs (tenant_id, entity_type, seq);
CREATE INDEX audit_logs_entity ON kaireon.audit_logs (tenant_id, entity_id, seq);
CREATE INDEX audit_logs_actor ON kaireon.audit_logs (tenant_id, actor_id, seq);
