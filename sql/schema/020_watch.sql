-- Watching: deliveries with lease and fence, the state of alert rules, what
-- fired, providers, and what reports leave behind.

-- Providers. What a client may see of a config is made when it is written:
-- reading needs no key.
ALTER TABLE kaireon.notification_providers
	ADD COLUMN config_shown   jsonb NOT NULL DEFAULT '{}',
	ADD COLUMN config_summary text NOT NULL DEFAULT '',
	-- its deliveries that are still due are told that it is gone
	ADD COLUMN deleted_at     timestamptz;

-- Deliveries. source_id: the alert's event or the report's run.
ALTER TABLE kaireon.outbox_events
	ADD COLUMN seq          bigint GENERATED ALWAYS AS IDENTITY,
	ADD COLUMN provider_id  text COLLATE "C" NOT NULL,
	ADD COLUMN source_id    text COLLATE "C",
	ADD COLUMN run_at       timestamptz NOT NULL DEFAULT now(),
	ADD COLUMN max_attempts integer NOT NULL DEFAULT 12, -- half an hour
	ADD COLUMN fence        bigint NOT NULL DEFAULT 0,
	ADD COLUMN leased_until timestamptz,
	ADD COLUMN lease_pid    integer,
	ADD COLUMN lease_start  timestamptz,
	ADD COLUMN errors       jsonb NOT NULL DEFAULT '[]', -- [{"at", "attempt", "error"}]
	ADD COLUMN delivered_at timestamptz,
	ADD FOREIGN KEY (tenant_id, provider_id) REFERENCES kaireon.notification_providers;
CREATE INDEX outbox_events_due ON kaireon.outbox_events (run_at)
	WHERE status IN ('pending', 'processing');
CREATE INDEX outbox_events_provider ON kaireon.outbox_events (tenant_id, provider_id, run_at)
	WHERE status IN ('pending', 'processing');
CREATE INDEX outbox_events_newest ON kaireon.outbox_events (tenant_id, created_at DESC, id DESC);
CREATE INDEX outbox_events_source ON kaireon.outbox_events (tenant_id, source_id);
CREATE INDEX outbox_events_old ON kaireon.outbox_events (created_at)
	WHERE status IN ('delivered', 'dead');

-- Alert rules. The state is what decides; the status is what people read.
ALTER TABLE kaireon.alert_rules
	ADD COLUMN for_minutes     bigint NOT NULL DEFAULT 0 CHECK (for_minutes >= 0),
	ADD COLUMN notify_resolved boolean NOT NULL DEFAULT true,
	ADD COLUMN state           text NOT NULL DEFAULT 'ok'
	                           CHECK (state IN ('ok', 'pending', 'firing')),
	ADD COLUMN state_since     timestamptz NOT NULL DEFAULT now(),
	-- counts the transitions that were told; a part of their key
	ADD COLUMN transition      bigint NOT NULL DEFAULT 0,
	ADD COLUMN last_event_id   text COLLATE "C";
CREATE INDEX alert_rules_enabled ON kaireon.alert_rules (metric) WHERE enabled;

-- What a rule told: one row a transition, inserted with its deliveries.
CREATE TABLE kaireon.alert_events (
	tenant_id  text COLLATE "C" NOT NULL REFERENCES kaireon.tenants,
	id         text COLLATE "C" NOT NULL,
	rule_id    text COLLATE "C" NOT NULL,
	transition bigint NOT NULL,
	kind       text NOT NULL CHECK (kind IN ('fired', 'resolved', 'test')),
	observed   double precision,
	baseline   double precision,
	threshold  double precision NOT NULL,
	severity   text NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
	window_end timestamptz NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant_id, id),
	UNIQUE (tenant_id, rule_id, kind, transition),
	FOREIGN KEY (tenant_id, rule_id) REFERENCES kaireon.alert_rules ON DELETE CASCADE
);
CREATE INDEX alert_events_newest ON kaireon.alert_events (tenant_id, rule_id, created_at DESC, id DESC);
SELECT kaireon.tenant_wall('kaireon.alert_events');

-- Reports.
ALTER TABLE kaireon.report_runs
	ADD COLUMN planned_for  timestamptz, -- the occurrence of the schedule
	ADD COLUMN destinations jsonb NOT NULL DEFAULT '[]',
	ADD CHECK (status IN ('pending', 'completed', 'failed'));
-- An occurrence of a schedule makes one run.
CREATE UNIQUE INDEX report_runs_planned ON kaireon.report_runs (tenant_id, schedule_id, planned_for)
	WHERE schedule_id IS NOT NULL;
CREATE INDEX report_runs_newest ON kaireon.report_runs (tenant_id, created_at DESC, id DESC);
CREATE INDEX report_runs_template ON kaireon.report_runs (tenant_id, template_id);

CREATE TABLE kaireon.report_artifacts (
	tenant_id       text COLLATE "C" NOT NULL REFERENCES kaireon.tenants,
	run_id          text COLLATE "C" NOT NULL,
	format          text NOT NULL CHECK (format IN ('csv', 'html', 'markdown', 'pdf')),
	content         bytea NOT NULL,
	sha256          text NOT NULL,
	-- of the link that a delivery carries; the link itself is not kept here
	link_hash       bytea UNIQUE,
	link_expires_at timestamptz,
	PRIMARY KEY (tenant_id, run_id, format),
	FOREIGN KEY (tenant_id, run_id) REFERENCES kaireon.report_runs ON DELETE CASCADE
);
SELECT kaireon.tenant_wall('kaireon.report_artifacts');

-- Who has the link may read that one artifact, as long as it lives.
CREATE FUNCTION kaireon.report_link_open(link_hash bytea, OUT format text,
	OUT content bytea, OUT name text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	SELECT a.format, a.content, t.name
	FROM kaireon.report_artifacts AS a
	JOIN kaireon.report_runs AS r ON r.tenant_id = a.tenant_id AND r.id = a.run_id
	JOIN kaireon.report_templates AS t ON t.tenant_id = r.tenant_id AND t.id = r.template_id
	JOIN kaireon.tenants AS n ON n.tenant_id = a.tenant_id
	WHERE a.link_hash = report_link_open.link_hash AND a.link_expires_at > now()
	  AND n.status = 'active'
$$;
REVOKE ALL ON FUNCTION kaireon.report_link_open(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION kaireon.report_link_open(bytea) TO kaireon_api;

-- Documents.
CREATE FUNCTION kaireon.alert_document(r kaireon.alert_rules) RETURNS json
LANGUAGE sql STABLE
RETURN json_build_object(
	'id', r.id, 'tenantId', r.tenant_id, 'name', r.name, 'metric', r.metric,
	'operator', r.operator, 'threshold', r.threshold,
	'windowMinutes', r.window_minutes, 'channels', r.channels,
	'cooldownMinutes', r.cooldown_minutes, 'forMinutes', r.for_minutes,
	'notifyResolved', r.notify_resolved, 'enabled', r.enabled,
	'lastFiredAt', kaireon.time_text(r.last_fired_at),
	'status', r.status, 'state', r.state,
	'stateSince', kaireon.time_text(r.state_since),
	'createdAt', kaireon.time_text(r.created_at),
	'updatedAt', kaireon.time_text(r.updated_at));

CREATE FUNCTION kaireon.provider_document(p kaireon.notification_providers) RETURNS json
LANGUAGE sql STABLE
RETURN json_build_object(
	'id', p.id, 'kind', p.kind, 'name', p.name, 'enabled', p.enabled,
	'createdAt', kaireon.time_text(p.created_at),
	'updatedAt', kaireon.time_text(p.updated_at),
	'config', p.config_shown, 'configSummary', p.config_summary);

CREATE FUNCTION kaireon.delivery_document(o kaireon.outbox_events) RETURNS json
LANGUAGE sql STABLE
RETURN json_build_object(
	'id', o.id, 'topic', o.topic, 'providerId', o.provider_id,
	'sourceId', o.source_id,
	'status', CASE o.status WHEN 'processing' THEN 'pending' ELSE o.status END,
	'attempts', o.attempts, 'lastError', o.errors->-1->>'error',
	'createdAt', kaireon.time_text(o.created_at),
	'deliveredAt', kaireon.time_text(o.delivered_at),
	'nextAttemptAt', CASE WHEN o.status IN ('pending', 'processing')
	                 THEN kaireon.time_text(o.run_at) END);

CREATE FUNCTION kaireon.report_template_document(t kaireon.report_templates) RETURNS json
LANGUAGE sql STABLE
RETURN json_build_object(
	'id', t.id, 'name', t.name, 'description', t.description,
	'dataSources', t.data_sources, 'sections', t.sections, 'formats', t.formats,
	'narrative', t.narrative, 'filters', t.filters, 'enabled', t.enabled,
	'createdAt', kaireon.time_text(t.created_at),
	'updatedAt', kaireon.time_text(t.updated_at));

CREATE FUNCTION kaireon.report_schedule_document(s kaireon.report_schedules) RETURNS json
LANGUAGE sql STABLE
RETURN json_build_object(
	'id', s.id, 'tenantId', s.tenant_id, 'templateId', s.template_id, 'name', s.name,
	'cronExpression', s.cron_expression, 'timezone', s.timezone,
	'destinations', s.destinations, 'enabled', s.enabled,
	'lastRunAt', kaireon.time_text(s.last_run_at),
	'nextRunAt', kaireon.time_text(s.next_run_at), 'lastStatus', s.last_status,
	'createdAt', kaireon.time_text(s.created_at),
	'updatedAt', kaireon.time_text(s.updated_at));

CREATE FUNCTION kaireon.report_run_document(r kaireon.report_runs) RETURNS json
LANGUAGE sql STABLE
RETURN json_build_object(
	'id', r.id, 'templateId', r.template_id, 'scheduleId', r.schedule_id,
	'status', r.status, 'error', r.error,
	'plannedFor', kaireon.time_text(r.planned_for),
	'artifacts', (SELECT coalesce(json_agg(json_build_object('format', a.format,
	                     'bytes', octet_length(a.content), 'sha256', a.sha256)
	                     ORDER BY a.format), '[]')
	              FROM kaireon.report_artifacts AS a
	              WHERE a.tenant_id = r.tenant_id AND a.run_id = r.id),
	'deliveries', (SELECT coalesce(json_agg(kaireon.delivery_document(o) ORDER BY o.provider_id), '[]')
	               FROM kaireon.outbox_events AS o
	               WHERE o.tenant_id = r.tenant_id AND o.source_id = r.id),
	'createdAt', kaireon.time_text(r.created_at),
	'completedAt', kaireon.time_text(r.completed_at));

REVOKE ALL ON FUNCTION kaireon.alert_document(kaireon.alert_rules),
	kaireon.provider_document(kaireon.notification_providers),
	kaireon.delivery_document(kaireon.outbox_events),
	kaireon.report_template_document(kaireon.report_templates),
	kaireon.report_schedule_document(kaireon.report_schedules),
	kaireon.report_run_document(kaireon.report_runs) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION kaireon.alert_document(kaireon.alert_rules),
	kaireon.provider_document(kaireon.notification_providers),
	kaireon.delivery_document(kaireon.outbox_events),
	kaireon.report_template_document(kaireon.report_templates),
	kaireon.report_schedule_document(kaireon.report_schedules),
	kaireon.report_run_document(kaireon.report_runs) TO kaireon_api, kaireon_worker;

-- Grants.
GRANT SELECT, INSERT, UPDATE, DELETE ON kaireon.alert_rules, kaireon.report_templates,
	kaireon.report_schedules TO kaireon_api;
GRANT SELECT, INSERT, UPDATE ON kaireon.notification_providers TO kaireon_api;
GRANT SELECT, INSERT ON kaireon.outbox_events, kaireon.alert_events, kaireon.report_runs TO kaireon_api;
GRANT SELECT (tenant_id, run_id, format, content, sha256) ON kaireon.report_artifacts TO kaireon_api;
GRANT SELECT ON kaireon.decision_traces, kaireon.outcome_types TO kaireon_api;
GRANT SELECT ON kaireon.alert_events, kaireon.report_artifacts TO kaireon_worker;
GRANT INSERT, UPDATE, DELETE ON kaireon.outbox_events, kaireon.report_artifacts TO kaireon_worker;
GRANT INSERT, UPDATE ON kaireon.report_runs TO kaireon_worker;
GRANT INSERT ON kaireon.alert_events TO kaireon_worker;
GRANT UPDATE (status, state, state_since, transition, last_event_id, last_fired_at)
	ON kaireon.alert_rules TO kaireon_worker;
GRANT UPDATE (last_run_at, next_run_at, last_status) ON kaireon.report_schedules TO kaireon_worker;
