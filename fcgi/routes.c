/*
 * The routes.
 */

#include "base/base.h"

#include "fcgi/route.h"
#include "fcgi/route_alert.h"
#include "fcgi/route_apikey.h"
#include "fcgi/route_approval.h"
#include "fcgi/route_audit.h"
#include "fcgi/route_cache.h"
#include "fcgi/route_cleanup.h"
#include "fcgi/route_cron.h"
#include "fcgi/route_deadletter.h"
#include "fcgi/route_flow.h"
#include "fcgi/route_gitops.h"
#include "fcgi/route_health.h"
#include "fcgi/route_metric.h"
#include "fcgi/route_notification.h"
#include "fcgi/route_report.h"
#include "fcgi/route_reset.h"
#include "fcgi/route_retention.h"
#include "fcgi/route_run.h"
#include "fcgi/route_settings.h"
#include "queue/deadletter.h"

/* clang-format off */

#define MIB ((size_t)1 << 20)

#define QUERY_INT(owner, json, member, low, high, otherwise) \
	{ .name = json, .in = KRN_IN_QUERY, .type = KRN_FIELD_INT, .min = low, .max = high, .fallback = otherwise, .offset = offsetof(struct owner, member) }
#define BODY_VALUE(owner, json, member) \
	{ .name = json, .in = KRN_IN_BODY, .type = KRN_FIELD_VALUE, .offset = offsetof(struct owner, member) }

static const struct krn_field run_list_fields[] = {
	QUERY_INT(krn_run_list_fields, "limit", limit, 1, 200, 50),
	QUERY_INT(krn_run_list_fields, "offset", offset, 0, INT64_C(1000000000), 0),
};

static const struct krn_field run_detail_fields[] = {
	QUERY_INT(krn_run_detail_fields, "resultsLimit", results_limit, 1, 1000, 100),
	{ .name = "resultsCursor", .in = KRN_IN_QUERY, .type = KRN_FIELD_STRING, .max = 2000,
	  .offset = offsetof(struct krn_run_detail_fields, results_cursor) },
};

static const struct krn_field run_campaign_fields[] = {
	BODY_VALUE(krn_run_campaign_fields, "channelIds", channel_ids),
	BODY_VALUE(krn_run_campaign_fields, "decisionFlowId", decision_flow_id),
	BODY_VALUE(krn_run_campaign_fields, "description", description),
	BODY_VALUE(krn_run_campaign_fields, "fileConfig", file_config),
	BODY_VALUE(krn_run_campaign_fields, "frequencyCaps", frequency_caps),
	BODY_VALUE(krn_run_campaign_fields, "name", name),
	BODY_VALUE(krn_run_campaign_fields, "scheduleCron", schedule_cron),
	BODY_VALUE(krn_run_campaign_fields, "scheduleDayOfMonth", schedule_day_of_month),
	BODY_VALUE(krn_run_campaign_fields, "scheduleDayOfWeek", schedule_day_of_week),
	BODY_VALUE(krn_run_campaign_fields, "scheduleTime", schedule_time),
	BODY_VALUE(krn_run_campaign_fields, "scheduleTimezone", schedule_timezone),
	BODY_VALUE(krn_run_campaign_fields, "scheduleType", schedule_type),
	BODY_VALUE(krn_run_campaign_fields, "segmentId", segment_id),
	BODY_VALUE(krn_run_campaign_fields, "status", status),
	BODY_VALUE(krn_run_campaign_fields, "volumeConstraints", volume_constraints),
};

static const struct krn_field run_delete_fields[] = {
	{ .name = "force", .in = KRN_IN_QUERY, .type = KRN_FIELD_BOOL,
	  .offset = offsetof(struct krn_run_delete_fields, force) },
};

#define BODY_TEXT(owner, json, member) \
	{ .name = json, .in = KRN_IN_BODY, .type = KRN_FIELD_STRING, .required = true, .min = 1, .max = 255, .offset = offsetof(struct owner, member) }

static const struct krn_field run_inline_fields[] = {
	BODY_TEXT(krn_run_inline_fields, "decisionFlowId", decision_flow_id),
	BODY_TEXT(krn_run_inline_fields, "runId", run_id),
	BODY_TEXT(krn_run_inline_fields, "segmentViewName", segment_view_name),
};

static const char *const approval_statuses[] = {"pending", "approved", "rejected", "expired", NULL};
static const char *const approval_decisions[] = {"approve", "reject", NULL};

#define CURSOR(owner) \
	{ .name = "cursor", .in = KRN_IN_QUERY, .type = KRN_FIELD_STRING, .min = 1, .max = 100, .offset = offsetof(struct owner, cursor) }

static const struct krn_field approval_list_fields[] = {
	CURSOR(krn_approval_list_fields),
	QUERY_INT(krn_approval_list_fields, "limit", limit, 1, 200, 50),
	{ .name = "status", .in = KRN_IN_QUERY, .type = KRN_FIELD_STRING, .choices = approval_statuses, .max = 20,
	  .offset = offsetof(struct krn_approval_list_fields, status) },
};

static const struct krn_field approval_fields[] = {
	BODY_VALUE(krn_approval_body_fields, "action", action),
	BODY_VALUE(krn_approval_body_fields, "entityId", entity_id),
	BODY_VALUE(krn_approval_body_fields, "entityName", entity_name),
	BODY_VALUE(krn_approval_body_fields, "entityType", entity_type),
	BODY_VALUE(krn_approval_body_fields, "payload", payload),
	BODY_VALUE(krn_approval_body_fields, "stages", stages),
};

static const struct krn_field approval_decide_fields[] = {
	{ .name = "action", .in = KRN_IN_BODY, .type = KRN_FIELD_STRING, .required = true, .choices = approval_decisions, .max = 20,
	  .offset = offsetof(struct krn_approval_decide_fields, action) },
	{ .name = "comments", .in = KRN_IN_BODY, .type = KRN_FIELD_STRING, .nullable = true, .max = 2000,
	  .offset = offsetof(struct krn_approval_decide_fields, comments) },
};

static const struct krn_field flow_list_fields[] = {
	CURSOR(krn_flow_list_fields),
	QUERY_INT(krn_flow_list_fields, "limit", limit, 1, 100, 25),
};

static const struct krn_field flow_fields[] = {
	BODY_VALUE(krn_flow_fields, "autoAssembly", auto_assembly),
	BODY_VALUE(krn_flow_fields, "couplingOverride", coupling_override),
	BODY_VALUE(krn_flow_fields, "description", description),
	BODY_VALUE(krn_flow_fields, "draftConfig", draft_config),
	BODY_VALUE(krn_flow_fields, "isDefault", is_default),
	BODY_VALUE(krn_flow_fields, "key", key),
	BODY_VALUE(krn_flow_fields, "name", name),
	BODY_VALUE(krn_flow_fields, "rowVersion", row_version),
	BODY_VALUE(krn_flow_fields, "status", status),
};

static const struct krn_field flow_publish_fields[] = {
	BODY_TEXT(krn_flow_publish_fields, "flowId", flow_id),
	{ .name = "notes", .in = KRN_IN_BODY, .type = KRN_FIELD_STRING, .max = 2000,
	  .offset = offsetof(struct krn_flow_publish_fields, notes) },
	{ .name = "rowVersion", .in = KRN_IN_BODY, .type = KRN_FIELD_INT, .nullable = true, .min = 1, .max = INT64_MAX,
	  .fallback = -1, .offset = offsetof(struct krn_flow_publish_fields, row_version) },
};

static const struct krn_field flow_version_fields[] = {
	QUERY_INT(krn_flow_version_fields, "cursor", cursor, 1, INT64_MAX, INT64_MAX),
	QUERY_INT(krn_flow_version_fields, "limit", limit, 1, 100, 25),
};

static const struct krn_field gitops_revision_fields[] = {
	QUERY_INT(krn_gitops_revision_fields, "limit", limit, 1, 200, 50),
};

static const struct krn_field export_fields[] = {
	{ .name = "drain", .in = KRN_IN_QUERY, .type = KRN_FIELD_BOOL,
	  .offset = offsetof(struct krn_export_fields, drain) },
};

/* the fields of a form, in its order */
#define FORM(json, index) \
	{ .name = json, .in = KRN_IN_BODY, .type = KRN_FIELD_VALUE, \
	  .offset = offsetof(struct krn_object_fields, form.given) + index * sizeof(const struct krn_value *) }

static const struct krn_field alert_fields[] = {
	FORM("name", 0), FORM("metric", 1), FORM("operator", 2), FORM("threshold", 3), FORM("windowMinutes", 4),
	FORM("channels", 5), FORM("cooldownMinutes", 6), FORM("forMinutes", 7), FORM("notifyResolved", 8), FORM("enabled", 9),
};

static const struct krn_field alert_event_fields[] = {
	QUERY_INT(krn_alert_event_fields, "limit", limit, 1, 200, 50),
};

static const struct krn_field provider_fields[] = {
	FORM("kind", 0), FORM("name", 1), FORM("enabled", 2), FORM("config", 3),
};

static const struct krn_field send_fields[] = {
	FORM("providerIds", 0), FORM("title", 1), FORM("text", 2), FORM("severity", 3),
};

static const struct krn_field report_template_fields[] = {
	FORM("name", 0), FORM("description", 1), FORM("dataSources", 2), FORM("sections", 3), FORM("formats", 4),
	FORM("narrative", 5), FORM("filters", 6), FORM("enabled", 7),
};

static const struct krn_field report_schedule_fields[] = {
	FORM("templateId", 0), FORM("name", 1), FORM("cronExpression", 2), FORM("timezone", 3), FORM("destinations", 4),
	FORM("enabled", 5),
};

static const char *const report_preview_formats[] = {"json", "html", NULL};

static const struct krn_field report_preview_fields[] = {
	{ .name = "format", .in = KRN_IN_QUERY, .type = KRN_FIELD_STRING, .choices = report_preview_formats, .min = 1, .max = 20,
	  .offset = offsetof(struct krn_report_preview_fields, format) },
};

static const struct krn_field report_run_list_fields[] = {
	QUERY_INT(krn_report_run_list_fields, "limit", limit, 1, 200, 50),
	QUERY_INT(krn_report_run_list_fields, "offset", offset, 0, INT64_C(1000000000), 0),
	{ .name = "templateId", .in = KRN_IN_QUERY, .type = KRN_FIELD_STRING, .min = 1, .max = 255,
	  .offset = offsetof(struct krn_report_run_list_fields, template_id) },
};

static const char *const delivery_statuses[] = {"pending", "delivered", "dead", NULL};

static const struct krn_field delivery_list_fields[] = {
	QUERY_INT(krn_delivery_list_fields, "limit", limit, 1, 200, 50),
	QUERY_INT(krn_delivery_list_fields, "offset", offset, 0, INT64_C(1000000000), 0),
	{ .name = "sourceId", .in = KRN_IN_QUERY, .type = KRN_FIELD_STRING, .min = 1, .max = 255,
	  .offset = offsetof(struct krn_delivery_list_fields, source_id) },
	{ .name = "status", .in = KRN_IN_QUERY, .type = KRN_FIELD_STRING, .choices = delivery_statuses, .min = 1, .max = 20,
	  .offset = offsetof(struct krn_delivery_list_fields, status) },
};

static const char *const role_choices[] = {"viewer", "editor", "admin", NULL};

static const struct krn_field apikey_body_fields[] = {
	{ .name = "expiresAt", .in = KRN_IN_BODY, .type = KRN_FIELD_STRING, .nullable = true, .min = 1, .max = 64,
	  .offset = offsetof(struct krn_apikey_body_fields, expires_at) },
	{ .name = "name", .in = KRN_IN_BODY, .type = KRN_FIELD_STRING, .min = 1, .max = 255,
	  .offset = offsetof(struct krn_apikey_body_fields, name) },
	{ .name = "role", .in = KRN_IN_BODY, .type = KRN_FIELD_STRING, .choices = role_choices,
	  .offset = offsetof(struct krn_apikey_body_fields, role) },
	BODY_VALUE(krn_apikey_body_fields, "scopes", scopes),
};

static const struct krn_field apikey_delete_fields[] = {
	{ .name = "id", .in = KRN_IN_QUERY, .type = KRN_FIELD_STRING, .required = true, .min = 1, .max = 255,
	  .offset = offsetof(struct krn_apikey_delete_fields, id) },
	{ .name = "reason", .in = KRN_IN_BODY, .type = KRN_FIELD_STRING, .nullable = true, .max = 1000,
	  .offset = offsetof(struct krn_apikey_delete_fields, reason) },
};

#define QUERY_TEXT(owner, json, member) \
	{ .name = json, .in = KRN_IN_QUERY, .type = KRN_FIELD_STRING, .min = 1, .max = 255, .offset = offsetof(struct owner, member) }

static const struct krn_field reset_fields[] = {
	{ .name = "confirm", .in = KRN_IN_BODY, .type = KRN_FIELD_BOOL, .required = true,
	  .offset = offsetof(struct krn_reset_fields, confirm) },
};

static const struct krn_field erasure_fields[] = {
	BODY_TEXT(krn_erasure_fields, "customerId", customer_id),
};

static const char *const cache_scopes[] = {"all", "offers", "qualificationRule", "contactPolicy", NULL};

static const struct krn_field cache_fields[] = {
	{ .name = "scope", .in = KRN_IN_BODY, .type = KRN_FIELD_STRING, .choices = cache_scopes,
	  .offset = offsetof(struct krn_cache_fields, scope) },
};

static const char *const deadletter_actions[] = {"retry", "purge", NULL};

static const struct krn_field deadletter_list_fields[] = {
	QUERY_INT(krn_deadletter_list_fields, "limit", limit, 1, 200, 50),
	{ .name = "topic", .in = KRN_IN_QUERY, .type = KRN_FIELD_STRING, .choices = krn_deadletter_topics,
	  .offset = offsetof(struct krn_deadletter_list_fields, topic) },
};

static const struct krn_field deadletter_move_fields[] = {
	{ .name = "action", .in = KRN_IN_BODY, .type = KRN_FIELD_STRING, .required = true, .choices = deadletter_actions,
	  .offset = offsetof(struct krn_deadletter_move_fields, action) },
	BODY_VALUE(krn_deadletter_move_fields, "eventIds", event_ids),
	{ .name = "topic", .in = KRN_IN_BODY, .type = KRN_FIELD_STRING, .nullable = true, .choices = krn_deadletter_topics,
	  .offset = offsetof(struct krn_deadletter_move_fields, topic) },
};

static const struct krn_field audit_list_fields[] = {
	QUERY_TEXT(krn_audit_list_fields, "action", action),
	QUERY_TEXT(krn_audit_list_fields, "endDate", end_date),
	QUERY_TEXT(krn_audit_list_fields, "entityId", entity_id),
	QUERY_TEXT(krn_audit_list_fields, "entityType", entity_type),
	QUERY_INT(krn_audit_list_fields, "limit", limit, 1, 100, 50),
	QUERY_INT(krn_audit_list_fields, "page", page, 1, 1000000, 1),
	QUERY_TEXT(krn_audit_list_fields, "startDate", start_date),
	QUERY_TEXT(krn_audit_list_fields, "userId", user_id),
};

static const struct krn_field audit_verify_fields[] = {
	/* a request's worth of time; kaireonctl verify-audit does all */
	QUERY_INT(krn_audit_verify_fields, "limit", limit, 1, 100000, 10000),
};

static const char *const audit_formats[] = {"json", "csv", "soc2", NULL};

static const struct krn_field audit_export_fields[] = {
	QUERY_TEXT(krn_audit_export_fields, "action", action),
	QUERY_TEXT(krn_audit_export_fields, "endDate", end_date),
	QUERY_TEXT(krn_audit_export_fields, "entityType", entity_type),
	{ .name = "format", .in = KRN_IN_QUERY, .type = KRN_FIELD_STRING, .choices = audit_formats,
	  .offset = offsetof(struct krn_audit_export_fields, format) },
	QUERY_INT(krn_audit_export_fields, "limit", limit, 1, 10000, 1000),
	QUERY_INT(krn_audit_export_fields, "offset", offset, 0, INT64_C(1000000000), 0),
	QUERY_TEXT(krn_audit_export_fields, "startDate", start_date),
};

static const char *const audit_checks[] = {"verify_integrity", NULL};

static const struct krn_field audit_check_fields[] = {
	{ .name = "action", .in = KRN_IN_BODY, .type = KRN_FIELD_STRING, .required = true, .choices = audit_checks,
	  .offset = offsetof(struct krn_audit_check_fields, action) },
	{ .name = "endDate", .in = KRN_IN_BODY, .type = KRN_FIELD_STRING, .nullable = true, .min = 1, .max = 64,
	  .offset = offsetof(struct krn_audit_check_fields, end_date) },
	{ .name = "startDate", .in = KRN_IN_BODY, .type = KRN_FIELD_STRING, .nullable = true, .min = 1, .max = 64,
	  .offset = offsetof(struct krn_audit_check_fields, start_date) },
};

static const struct krn_field cron_run_fields[] = {
	{ .name = "job", .in = KRN_IN_QUERY, .type = KRN_FIELD_STRING, .min = 1, .max = 64,
	  .offset = offsetof(struct krn_cron_run_fields, job) },
	QUERY_INT(krn_cron_run_fields, "limit", limit, 1, 200, 50),
};

/* Source: contract section 3, retention-configs. */
static const char *const data_classes[] = {"interactions", "decisions", "metrics", "audit", NULL};
static const struct krn_field retention_fields[] = {
	{ .name = "dataClass", .in = KRN_IN_BODY, .type = KRN_FIELD_STRING, .required = true, .choices = data_classes,
	  .offset = offsetof(struct krn_retention_fields, data_class) },
	{ .name = "retentionDays", .in = KRN_IN_BODY, .type = KRN_FIELD_INT, .required = true, .min = 1, .max = 36500,
	  .offset = offsetof(struct krn_retention_fields, retention_days) },
	{ .name = "legalHold", .in = KRN_IN_BODY, .type = KRN_FIELD_BOOL,
	  .offset = offsetof(struct krn_retention_fields, legal_hold) },
};

static const struct krn_field settings_fields[] = {
	{ .name = "settings", .in = KRN_IN_WHOLE, .type = KRN_FIELD_VALUE,
	  .offset = offsetof(struct krn_settings_fields, change) },
};

/* Source: spec/admin-api.txt, spec/facts.md 1.5; contract section 1, rate limits. */
static const struct krn_ratelimit audit_export_limit = {"audit-export", 10, 60};
static const struct krn_ratelimit cleanup_limit = {"cleanup", 5, 60};

#define FIELDS(table, owner) .fields = table, .fields_nr = KRN_NR(table), .fields_size = sizeof(struct owner)
#define READ  .tx = KRN_TX_READ,  .body = KRN_BODY_NONE
#define WRITE .tx = KRN_TX_WRITE
#define NO_TX .tx = KRN_TX_NONE
#define API   .pool = KRN_POOL_API
#define CRON  .pool = KRN_POOL_CRON
#define JSON  .body = KRN_BODY_JSON, .body_max = MIB
#define OPTIONAL .body = KRN_BODY_OPTIONAL_JSON, .body_max = MIB
#define RAW(bytes) .body = KRN_BODY_RAW, .body_max = bytes

const struct krn_route krn_routes[] = {
	{ .path = "/api/cron/tick", .methods = KRN_GET | KRN_POST, .name = "tick", .auth = KRN_AUTH_CRON_TOKEN, CRON, NO_TX,
	  .body = KRN_BODY_IGNORED, .handler = krn_route_tick },

	{ .path = "/api/v1/admin/cache", .methods = KRN_POST, .name = "cache.flush", .auth = KRN_AUTH_ADMIN, API, WRITE, OPTIONAL,
	  FIELDS(cache_fields, krn_cache_fields), .handler = krn_route_cache_flush },
	{ .path = "/api/v1/admin/cron-runs", .methods = KRN_GET, .name = "admin.cron-runs", .auth = KRN_AUTH_ADMIN, API, READ,
	  FIELDS(cron_run_fields, krn_cron_run_fields), .handler = krn_route_cron_runs },
	{ .path = "/api/v1/admin/dlq", .methods = KRN_GET, .name = "dlq.list", .auth = KRN_AUTH_ADMIN, API, READ,
	  FIELDS(deadletter_list_fields, krn_deadletter_list_fields), .handler = krn_route_deadletter_list },
	{ .path = "/api/v1/admin/dlq", .methods = KRN_POST, .name = "dlq.move", .auth = KRN_AUTH_ADMIN, API, WRITE, JSON,
	  FIELDS(deadletter_move_fields, krn_deadletter_move_fields), .handler = krn_route_deadletter_move },
	{ .path = "/api/v1/admin/retention-configs", .methods = KRN_GET, .name = "admin.retention-configs",
	  .auth = KRN_AUTH_ADMIN, API, READ, .handler = krn_route_retention_list },
	{ .path = "/api/v1/admin/retention-configs", .methods = KRN_POST, .name = "admin.retention-configs",
	  .auth = KRN_AUTH_ADMIN, API, WRITE, JSON, FIELDS(retention_fields, krn_retention_fields), .handler = krn_route_retention_set },
	{ .path = "/api/v1/alerts", .methods = KRN_GET, .name = "alert.list", .auth = KRN_AUTH_VIEWER, API, READ,
	  .handler = krn_route_alert_list },
	{ .path = "/api/v1/alerts", .methods = KRN_POST, .name = "alert.create", .auth = KRN_AUTH_EDITOR, API, WRITE, JSON,
	  FIELDS(alert_fields, krn_object_fields), .handler = krn_route_alert_create },
	{ .path = "/api/v1/alerts/{id}", .methods = KRN_GET, .name = "alert.get", .auth = KRN_AUTH_VIEWER, API, READ,
	  .handler = krn_route_alert_get },
	{ .path = "/api/v1/alerts/{id}", .methods = KRN_PUT, .name = "alert.update", .auth = KRN_AUTH_EDITOR, API, WRITE, JSON,
	  FIELDS(alert_fields, krn_object_fields), .handler = krn_route_alert_update },
	{ .path = "/api/v1/alerts/{id}", .methods = KRN_DELETE, .name = "alert.delete", .auth = KRN_AUTH_EDITOR, API, WRITE,
	  .body = KRN_BODY_NONE, .handler = krn_route_alert_delete },
	{ .path = "/api/v1/alerts/{id}/events", .methods = KRN_GET, .name = "alert.events", .auth = KRN_AUTH_VIEWER, API, READ,
	  FIELDS(alert_event_fields, krn_alert_event_fields), .handler = krn_route_alert_events },
	{ .path = "/api/v1/alerts/{id}/test", .methods = KRN_POST, .name = "alert.test", .auth = KRN_AUTH_EDITOR, API, WRITE,
	  OPTIONAL, .handler = krn_route_alert_test },
	{ .path = "/api/v1/api-keys", .methods = KRN_GET, .name = "api-keys.list", .auth = KRN_AUTH_ADMIN, API, READ,
	  .handler = krn_route_apikey_list },
	{ .path = "/api/v1/api-keys", .methods = KRN_POST, .name = "api-keys.create", .auth = KRN_AUTH_ADMIN, API, WRITE, OPTIONAL,
	  FIELDS(apikey_body_fields, krn_apikey_body_fields), .never_kept = true, .handler = krn_route_apikey_create },
	{ .path = "/api/v1/api-keys", .methods = KRN_DELETE, .name = "api-keys.delete", .auth = KRN_AUTH_ADMIN, API, WRITE, OPTIONAL,
	  FIELDS(apikey_delete_fields, krn_apikey_delete_fields), .handler = krn_route_apikey_delete },
	{ .path = "/api/v1/approvals", .methods = KRN_GET, .name = "approval.list", .auth = KRN_AUTH_VIEWER, API, READ,
	  FIELDS(approval_list_fields, krn_approval_list_fields), .handler = krn_route_approval_list },
	{ .path = "/api/v1/approvals", .methods = KRN_POST, .name = "approval.create", .auth = KRN_AUTH_EDITOR, API, WRITE, JSON,
	  FIELDS(approval_fields, krn_approval_body_fields), .handler = krn_route_approval_create },
	{ .path = "/api/v1/approvals/{id}", .methods = KRN_GET, .name = "approval.get", .auth = KRN_AUTH_VIEWER, API, READ,
	  .handler = krn_route_approval_get },
	{ .path = "/api/v1/approvals/{id}", .methods = KRN_POST, .name = "approval.decide", .auth = KRN_AUTH_EDITOR, API, WRITE, JSON,
	  FIELDS(approval_decide_fields, krn_approval_decide_fields), .handler = krn_route_approval_decide },
	{ .path = "/api/v1/audit-export", .methods = KRN_GET, .name = "audit.export", .auth = KRN_AUTH_ADMIN, API,
	  .tx = KRN_TX_SNAPSHOT, .body = KRN_BODY_NONE, .limit = &audit_export_limit,
	  FIELDS(audit_export_fields, krn_audit_export_fields), .handler = krn_route_audit_export },
	{ .path = "/api/v1/audit-export", .methods = KRN_POST, .name = "audit.check", .auth = KRN_AUTH_ADMIN, API,
	  .tx = KRN_TX_SNAPSHOT, JSON, .limit = &audit_export_limit,
	  FIELDS(audit_check_fields, krn_audit_check_fields), .handler = krn_route_audit_check },
	{ .path = "/api/v1/audit-logs", .methods = KRN_GET, .name = "audit.list", .auth = KRN_AUTH_ADMIN, API, READ,
	  FIELDS(audit_list_fields, krn_audit_list_fields), .handler = krn_route_audit_list },
	{ .path = "/api/v1/audit-logs/verify", .methods = KRN_GET, .name = "audit.verify", .auth = KRN_AUTH_ADMIN, API,
	  .tx = KRN_TX_SNAPSHOT, .body = KRN_BODY_NONE,
	  FIELDS(audit_verify_fields, krn_audit_verify_fields), .handler = krn_route_audit_verify },
	{ .path = "/api/v1/cleanup", .methods = KRN_POST, .name = "cleanup", .auth = KRN_AUTH_ADMIN, API, WRITE,
	  OPTIONAL, .limit = &cleanup_limit, .handler = krn_route_cleanup },

	{ .path = "/api/v1/cron/approvals-expire", .methods = KRN_GET | KRN_POST, .name = "cron.approvals-expire",
	  .auth = KRN_AUTH_CRON_SECRET, CRON, NO_TX, .body = KRN_BODY_IGNORED, .handler = krn_route_cron_approvals },
	{ .path = "/api/v1/cron/cleanup", .methods = KRN_GET | KRN_POST, .name = "cron.cleanup",
	  .auth = KRN_AUTH_CRON_SECRET, CRON, NO_TX, .body = KRN_BODY_IGNORED, .handler = krn_route_cron_cleanup },
	{ .path = "/api/v1/cron/export-interactions", .methods = KRN_GET | KRN_POST, .name = "cron.export-interactions",
	  .auth = KRN_AUTH_CRON_SECRET, CRON, NO_TX, .body = KRN_BODY_IGNORED,
	  FIELDS(export_fields, krn_export_fields), .handler = krn_route_cron_export },
	{ .path = "/api/v1/cron/gitops-drift-check", .methods = KRN_GET | KRN_POST, .name = "cron.gitops-drift-check",
	  .auth = KRN_AUTH_CRON_SECRET, CRON, NO_TX, .body = KRN_BODY_IGNORED, .handler = krn_route_cron_drift },

	{ .path = "/api/v1/decision-flows", .methods = KRN_GET, .name = "flow.list", .auth = KRN_AUTH_VIEWER, API, READ,
	  FIELDS(flow_list_fields, krn_flow_list_fields), .handler = krn_route_flow_list },
	{ .path = "/api/v1/decision-flows", .methods = KRN_POST, .name = "flow.create", .auth = KRN_AUTH_EDITOR, API, WRITE, JSON,
	  FIELDS(flow_fields, krn_flow_fields), .handler = krn_route_flow_create },
	{ .path = "/api/v1/decision-flows/ensure-base", .methods = KRN_POST, .name = "flow.ensure-base", .auth = KRN_AUTH_EDITOR, API,
	  WRITE, OPTIONAL, .handler = krn_route_flow_ensure_base },
	{ .path = "/api/v1/decision-flows/publish", .methods = KRN_POST, .name = "flow.publish", .auth = KRN_AUTH_EDITOR, API,
	  WRITE, JSON, FIELDS(flow_publish_fields, krn_flow_publish_fields), .handler = krn_route_flow_publish },
	{ .path = "/api/v1/decision-flows/{id}", .methods = KRN_GET, .name = "flow.get", .auth = KRN_AUTH_VIEWER, API, READ,
	  .handler = krn_route_flow_get },
	{ .path = "/api/v1/decision-flows/{id}", .methods = KRN_PUT, .name = "flow.update", .auth = KRN_AUTH_EDITOR, API, WRITE, JSON,
	  FIELDS(flow_fields, krn_flow_fields), .handler = krn_route_flow_update },
	{ .path = "/api/v1/decision-flows/{id}", .methods = KRN_DELETE, .name = "flow.delete", .auth = KRN_AUTH_EDITOR, API, WRITE,
	  .body = KRN_BODY_NONE, .handler = krn_route_flow_delete },
	{ .path = "/api/v1/decision-flows/{id}/versions", .methods = KRN_GET, .name = "flow.versions", .auth = KRN_AUTH_VIEWER, API,
	  READ, FIELDS(flow_version_fields, krn_flow_version_fields), .handler = krn_route_flow_versions },
	{ .path = "/api/v1/decision-flows/{id}/versions/{version}", .methods = KRN_GET, .name = "flow.version",
	  .auth = KRN_AUTH_VIEWER, API, READ, .handler = krn_route_flow_version },

	{ .path = "/api/v1/gdpr/erasure", .methods = KRN_POST, .name = "gdpr.erasure", .auth = KRN_AUTH_ADMIN, API, WRITE, JSON,
	  .never_kept = true,
	  FIELDS(erasure_fields, krn_erasure_fields), .handler = krn_route_gdpr_erasure },
	{ .path = "/api/v1/gitops/apply", .methods = KRN_POST, .name = "gitops.apply", .auth = KRN_AUTH_VIEWER, API,
	  WRITE, .tx_of = krn_route_gitops_tx, RAW(96 * MIB), .any_query = true, .handler = krn_route_gitops_apply },
	{ .path = "/api/v1/gitops/diff", .methods = KRN_POST, .name = "gitops.diff", .auth = KRN_AUTH_VIEWER, API,
	  .tx = KRN_TX_SNAPSHOT, RAW(96 * MIB), .any_query = true, .handler = krn_route_gitops_diff },
	{ .path = "/api/v1/gitops/export", .methods = KRN_GET, .name = "gitops.export", .auth = KRN_AUTH_VIEWER, API,
	  .tx = KRN_TX_SNAPSHOT, .body = KRN_BODY_NONE, .any_query = true, .handler = krn_route_gitops_export },
	{ .path = "/api/v1/gitops/revisions", .methods = KRN_GET, .name = "gitops.revisions", .auth = KRN_AUTH_VIEWER, API, READ,
	  FIELDS(gitops_revision_fields, krn_gitops_revision_fields), .any_query = true, .handler = krn_route_gitops_revisions },
	{ .path = "/api/v1/gitops/rollback", .methods = KRN_POST, .name = "gitops.rollback", .auth = KRN_AUTH_EDITOR, API,
	  WRITE, .tx_of = krn_route_gitops_tx, .body = KRN_BODY_IGNORED, .any_query = true, .handler = krn_route_gitops_rollback },
	{ .path = "/api/v1/gitops/schema", .methods = KRN_GET, .name = "gitops.schema", .auth = KRN_AUTH_VIEWER, API, READ,
	  .any_query = true, .handler = krn_route_gitops_schema },
	{ .path = "/api/v1/gitops/snapshot", .methods = KRN_POST, .name = "gitops.snapshot", .auth = KRN_AUTH_EDITOR, API,
	  WRITE, RAW(96 * MIB), .any_query = true, .handler = krn_route_gitops_snapshot },

	{ .path = "/api/v1/metrics/summary", .methods = KRN_GET, .name = "metrics.summary", .auth = KRN_AUTH_ADMIN, API, READ,
	  .handler = krn_route_metrics_summary },

	{ .path = "/api/v1/notifications/deliveries", .methods = KRN_GET, .name = "delivery.list", .auth = KRN_AUTH_VIEWER, API,
	  READ, FIELDS(delivery_list_fields, krn_delivery_list_fields), .handler = krn_route_delivery_list },
	{ .path = "/api/v1/notifications/providers", .methods = KRN_GET, .name = "provider.list", .auth = KRN_AUTH_VIEWER, API, READ,
	  .handler = krn_route_provider_list },
	{ .path = "/api/v1/notifications/providers", .methods = KRN_POST, .name = "provider.create", .auth = KRN_AUTH_ADMIN, API,
	  WRITE, JSON, FIELDS(provider_fields, krn_object_fields), .handler = krn_route_provider_create },
	{ .path = "/api/v1/notifications/providers/{id}", .methods = KRN_GET, .name = "provider.get", .auth = KRN_AUTH_VIEWER, API,
	  READ, .handler = krn_route_provider_get },
	{ .path = "/api/v1/notifications/providers/{id}", .methods = KRN_PATCH, .name = "provider.update", .auth = KRN_AUTH_ADMIN, API,
	  WRITE, JSON, FIELDS(provider_fields, krn_object_fields), .handler = krn_route_provider_update },
	{ .path = "/api/v1/notifications/providers/{id}", .methods = KRN_DELETE, .name = "provider.delete", .auth = KRN_AUTH_ADMIN,
	  API, WRITE, .body = KRN_BODY_NONE, .handler = krn_route_provider_delete },
	{ .path = "/api/v1/notifications/send", .methods = KRN_POST, .name = "notification.send", .auth = KRN_AUTH_EDITOR, API, WRITE,
	  JSON, FIELDS(send_fields, krn_object_fields), .handler = krn_route_notification_send },

	{ .path = "/api/v1/reports/links/{token}", .methods = KRN_GET, .name = "report.link", .auth = KRN_AUTH_NONE, API,
	  READ, .handler = krn_route_report_link },
	{ .path = "/api/v1/reports/runs", .methods = KRN_GET, .name = "report.runs", .auth = KRN_AUTH_VIEWER, API,
	  READ, FIELDS(report_run_list_fields, krn_report_run_list_fields), .handler = krn_route_report_run_list },
	{ .path = "/api/v1/reports/runs/{id}", .methods = KRN_GET, .name = "report.run", .auth = KRN_AUTH_VIEWER, API,
	  READ, .handler = krn_route_report_run_get },
	{ .path = "/api/v1/reports/runs/{id}/artifacts/{format}", .methods = KRN_GET, .name = "report.artifact", .auth = KRN_AUTH_VIEWER, API,
	  READ, .handler = krn_route_report_artifact },
	{ .path = "/api/v1/reports/schedules", .methods = KRN_GET, .name = "report-schedule.list", .auth = KRN_AUTH_VIEWER, API,
	  READ, .handler = krn_route_report_schedule_list },
	{ .path = "/api/v1/reports/schedules", .methods = KRN_POST, .name = "report-schedule.create", .auth = KRN_AUTH_EDITOR, API,
	  WRITE, JSON, FIELDS(report_schedule_fields, krn_object_fields), .handler = krn_route_report_schedule_create },
	{ .path = "/api/v1/reports/schedules/{id}", .methods = KRN_GET, .name = "report-schedule.get", .auth = KRN_AUTH_VIEWER, API,
	  READ, .handler = krn_route_report_schedule_get },
	{ .path = "/api/v1/reports/schedules/{id}", .methods = KRN_PATCH, .name = "report-schedule.update", .auth = KRN_AUTH_EDITOR, API,
	  WRITE, JSON, FIELDS(report_schedule_fields, krn_object_fields), .handler = krn_route_report_schedule_update },
	{ .path = "/api/v1/reports/schedules/{id}", .methods = KRN_DELETE, .name = "report-schedule.delete", .auth = KRN_AUTH_EDITOR, API,
	  WRITE, .body = KRN_BODY_NONE, .handler = krn_route_report_schedule_delete },
	{ .path = "/api/v1/reports/templates", .methods = KRN_GET, .name = "report-template.list", .auth = KRN_AUTH_VIEWER, API,
	  READ, .handler = krn_route_report_template_list },
	{ .path = "/api/v1/reports/templates", .methods = KRN_POST, .name = "report-template.create", .auth = KRN_AUTH_EDITOR, API,
	  WRITE, JSON, FIELDS(report_template_fields, krn_object_fields), .handler = krn_route_report_template_create },
	{ .path = "/api/v1/reports/templates/{id}", .methods = KRN_GET, .name = "report-template.get", .auth = KRN_AUTH_VIEWER, API,
	  READ, .handler = krn_route_report_template_get },
	{ .path = "/api/v1/reports/templates/{id}", .methods = KRN_PATCH, .name = "report-template.update", .auth = KRN_AUTH_EDITOR, API,
	  WRITE, JSON, FIELDS(report_template_fields, krn_object_fields), .handler = krn_route_report_template_update },
	{ .path = "/api/v1/reports/templates/{id}", .methods = KRN_DELETE, .name = "report-template.delete", .auth = KRN_AUTH_EDITOR, API,
	  WRITE, .body = KRN_BODY_NONE, .handler = krn_route_report_template_delete },
	{ .path = "/api/v1/reports/templates/{id}/preview", .methods = KRN_GET, .name = "report-template.preview", .auth = KRN_AUTH_VIEWER, API,
	  .tx = KRN_TX_SNAPSHOT, .body = KRN_BODY_NONE,
	  FIELDS(report_preview_fields, krn_report_preview_fields), .handler = krn_route_report_preview },
	{ .path = "/api/v1/reports/templates/{id}/run-now", .methods = KRN_POST, .name = "report-template.run-now", .auth = KRN_AUTH_EDITOR, API,
	  WRITE, OPTIONAL, .handler = krn_route_report_run_now },

	{ .path = "/api/v1/runs", .methods = KRN_GET, .name = "campaign.list", .auth = KRN_AUTH_VIEWER, API, READ,
	  FIELDS(run_list_fields, krn_run_list_fields), .handler = krn_route_run_list },
	{ .path = "/api/v1/runs", .methods = KRN_POST, .name = "campaign.create", .auth = KRN_AUTH_EDITOR, API, WRITE, JSON,
	  FIELDS(run_campaign_fields, krn_run_campaign_fields), .handler = krn_route_run_create },
	{ .path = "/api/v1/runs/execute-inline", .methods = KRN_POST, .name = "run.execute-inline", .auth = KRN_AUTH_EDITOR, CRON,
	  WRITE, JSON, FIELDS(run_inline_fields, krn_run_inline_fields), .handler = krn_route_run_inline },
	{ .path = "/api/v1/runs/{id}", .methods = KRN_GET, .name = "campaign.get", .auth = KRN_AUTH_VIEWER, API, READ,
	  FIELDS(run_detail_fields, krn_run_detail_fields), .handler = krn_route_run_get },
	{ .path = "/api/v1/runs/{id}", .methods = KRN_PUT, .name = "campaign.update", .auth = KRN_AUTH_EDITOR, API, WRITE, JSON,
	  FIELDS(run_campaign_fields, krn_run_campaign_fields), .handler = krn_route_run_update },
	{ .path = "/api/v1/runs/{id}", .methods = KRN_DELETE, .name = "campaign.delete", .auth = KRN_AUTH_ADMIN, API, WRITE,
	  .body = KRN_BODY_NONE, FIELDS(run_delete_fields, krn_run_delete_fields), .handler = krn_route_run_delete },
	{ .path = "/api/v1/runs/{id}/campaign-runs", .methods = KRN_GET, .name = "run.list", .auth = KRN_AUTH_VIEWER, API,
	  READ, .handler = krn_route_run_runs },
	{ .path = "/api/v1/runs/{id}/campaign-runs", .methods = KRN_POST, .name = "run.trigger", .auth = KRN_AUTH_EDITOR, API,
	  WRITE, OPTIONAL, .handler = krn_route_run_trigger },
	{ .path = "/api/v1/runs/{id}/campaign-runs/{runId}", .methods = KRN_GET, .name = "run.get", .auth = KRN_AUTH_VIEWER,
	  API, READ, .handler = krn_route_run_progress },
	{ .path = "/api/v1/runs/{id}/campaign-runs/{runId}/cancel", .methods = KRN_POST, .name = "run.cancel", .auth = KRN_AUTH_EDITOR,
	  API, WRITE, OPTIONAL, .handler = krn_route_run_cancel },
	{ .path = "/api/v1/runs/{id}/campaign-runs/{runId}/file", .methods = KRN_GET, .name = "run.file",
	  .auth = KRN_AUTH_VIEWER, API, READ, .handler = krn_route_run_file },
	{ .path = "/api/v1/runs/{id}/campaign-runs/{runId}/pause", .methods = KRN_POST, .name = "run.pause", .auth = KRN_AUTH_EDITOR,
	  API, WRITE, OPTIONAL, .handler = krn_route_run_pause },
	{ .path = "/api/v1/runs/{id}/campaign-runs/{runId}/resume", .methods = KRN_POST, .name = "run.resume", .auth = KRN_AUTH_EDITOR,
	  API, WRITE, OPTIONAL, .handler = krn_route_run_resume },

	{ .path = "/api/v1/tenant-settings", .methods = KRN_GET, .name = "tenant.settings", .auth = KRN_AUTH_ADMIN, API, READ,
	  .handler = krn_route_settings_get },
	{ .path = "/api/v1/tenant-settings", .methods = KRN_PUT, .name = "tenant.settings", .auth = KRN_AUTH_ADMIN, API, WRITE, JSON,
	  FIELDS(settings_fields, krn_settings_fields), .handler = krn_route_settings_put },
	{ .path = "/api/v1/tenant/reset", .methods = KRN_POST, .name = "tenant.reset", .auth = KRN_AUTH_ADMIN, API, WRITE, JSON,
	  FIELDS(reset_fields, krn_reset_fields), .never_kept = true, .handler = krn_route_tenant_reset },

	{ .path = "/healthz", .methods = KRN_GET, .name = "health", .auth = KRN_AUTH_NONE, .pool = KRN_POOL_BOTH, NO_TX,
	  .body = KRN_BODY_NONE, .handler = krn_route_health },
	{ .path = "/metrics", .methods = KRN_GET, .name = "metrics", .auth = KRN_AUTH_OPERATOR, CRON, READ,
	  .handler = krn_route_metrics, .afterwards = krn_route_metrics_count },
	{ .path = "/readyz", .methods = KRN_GET, .name = "ready", .auth = KRN_AUTH_NONE, .pool = KRN_POOL_BOTH, NO_TX,
	  .body = KRN_BODY_NONE, .handler = krn_route_ready },
};
/* clang-format on */

const size_t krn_routes_nr = KRN_NR(krn_routes);
