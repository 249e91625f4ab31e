/*
 * The table of kinds.
 */

#include "base/base.h"

#include "catalog/kind.h"

/* clang-format off */
static const char *const statuses[] = {"draft", "active", "paused", "archived", NULL};
static const char *const channel_types[] = {"email", "push", "sms", "in_app", "web", "webhook", "whatsapp", "direct_mail", NULL};
static const char *const delivery_modes[] = {"api", "file", "integration", "manual", NULL};
static const char *const template_types[] = {"email_html", "email_text", "push_notification", "sms_text", "in_app_banner", "in_app_modal", "in_app_card", "web_banner", "web_overlay", "webhook_payload", "whatsapp_template", NULL};
static const char *const impression_modes[] = {"explicit", "implicit", NULL};
static const char *const coupling_modes[] = {"partial", "atomic", NULL};
static const char *const rule_scopes[] = {"global", "segment", "channel", "category", "subcategory", "offer", "creative", "placement", NULL};
static const char *const rule_types[] = {"segment_required", "attribute_condition", "propensity_threshold", "recency_check", "metric_condition", NULL};
static const char *const rule_stages[] = {"eligibility", "fit", "match", "ranking", NULL};
static const char *const policy_scopes[] = {"global", "offer", "creative", "channel", "category", "subcategory", NULL};
static const char *const policy_types[] = {"frequency_cap", "cooldown", "budget_exhausted", "outcome_based", "segment_exclusion", "time_window", "mutual_exclusion", "cross_channel_cap", "customer_total_cap", "allow_override", "category_suppression", "metric_condition", NULL};

#define TEXT(json, sql, otherwise)    { .name = json, .column = sql, .type = KRN_TYPE_STRING, .fallback = otherwise }
#define SHORT_TEXT(json, sql, otherwise, longest) { .name = json, .column = sql, .type = KRN_TYPE_STRING, .fallback = otherwise, .max = longest }
#define MAYBE_TEXT(json, sql)         { .name = json, .column = sql, .type = KRN_TYPE_STRING, .nullable = true }
#define KEY(longest)                  { .name = "key", .column = "key", .type = KRN_TYPE_STRING, .max = longest }
#define INTEGER(json, sql, otherwise, low, high) { .name = json, .column = sql, .type = KRN_TYPE_INT, .fallback = otherwise, .min = low, .max = high }
#define NUMBER(json, sql, otherwise)  { .name = json, .column = sql, .type = KRN_TYPE_DOUBLE, .fallback = otherwise }
#define MAYBE_NUMBER(json, sql)       { .name = json, .column = sql, .type = KRN_TYPE_DOUBLE, .nullable = true }
#define FLAG(json, sql, otherwise)    { .name = json, .column = sql, .type = KRN_TYPE_BOOL, .fallback = otherwise }
#define MAYBE_TIME(json, sql)         { .name = json, .column = sql, .type = KRN_TYPE_TIME, .nullable = true }
#define CHOICE(json, sql, list, otherwise) { .name = json, .column = sql, .type = KRN_TYPE_CHOICE, .choices = list, .fallback = otherwise }
#define MUST_CHOICE(json, sql, list)  { .name = json, .column = sql, .type = KRN_TYPE_CHOICE, .choices = list, .required = true }
#define MAYBE_CHOICE(json, sql, list) { .name = json, .column = sql, .type = KRN_TYPE_CHOICE, .choices = list, .nullable = true }
#define REFERENCE(json, sql, kind)    { .name = json, .column = sql, .type = KRN_TYPE_REFERENCE, .nullable = true, .reference = kind }
#define MUST_REFERENCE(json, sql, kind) { .name = json, .column = sql, .type = KRN_TYPE_REFERENCE, .required = true, .reference = kind }
#define SCOPE_REF                     { .name = "scopeRef", .column = "scope_id", .type = KRN_TYPE_SCOPE, .nullable = true }
#define ARRAY(json, sql, longest)     { .name = json, .column = sql, .type = KRN_TYPE_ARRAY, .fallback = "[]", .max = longest }
#define OBJECT(json, sql, otherwise)  { .name = json, .column = sql, .type = KRN_TYPE_OBJECT, .fallback = otherwise }

static const struct krn_kind_field category_fields[] = {
	TEXT("description", "description", "\"\""),
	TEXT("icon", "icon", "\"\""),
	TEXT("color", "color", "\"blue\""),
	CHOICE("status", "status", statuses, "\"active\""),
	INTEGER("ordinal", "ordinal", "0", 0, 1000000),
	ARRAY("customFields", "custom_fields", 500),
};

static const struct krn_kind_field sub_category_fields[] = {
	MUST_REFERENCE("categoryRef", "category_id", KRN_KIND_CATEGORY),
	TEXT("description", "description", "\"\""),
	TEXT("icon", "icon", "\"\""),
	TEXT("color", "color", "\"blue\""),
	CHOICE("status", "status", statuses, "\"active\""),
	INTEGER("ordinal", "ordinal", "0", 0, 1000000),
	ARRAY("customFields", "custom_fields", 500),
};

static const struct krn_kind_field channel_fields[] = {
	TEXT("description", "description", "\"\""),
	CHOICE("channelType", "channel_type", channel_types, "\"email\""),
	CHOICE("status", "status", statuses, "\"draft\""),
	CHOICE("deliveryMode", "delivery_mode", delivery_modes, "\"api\""),
	CHOICE("impressionMode", "impression_mode", impression_modes, "\"explicit\""),
	CHOICE("couplingMode", "coupling_mode", coupling_modes, "\"partial\""),
	OBJECT("providerConfig", "provider_config", "{}"),
	OBJECT("fileConfig", "file_config", "{}"),
};

static const struct krn_kind_field offer_fields[] = {
	TEXT("description", "description", "\"\""),
	TEXT("shortDesc", "short_desc", "\"\""),
	CHOICE("status", "status", statuses, "\"draft\""),
	REFERENCE("categoryRef", "category_id", KRN_KIND_CATEGORY),
	REFERENCE("subCategoryRef", "sub_category_id", KRN_KIND_SUBCATEGORY),
	TEXT("category", "category", "\"engagement\""),
	TEXT("group", "offer_group", "\"\""),
	INTEGER("priority", "priority", "50", 0, 100),
	NUMBER("businessValue", "business_value", "0"),
	FLAG("mandatory", "mandatory", "false"),
	MAYBE_TEXT("mandatoryReason", "mandatory_reason"),
	MAYBE_TIME("mandatoryExpiresAt", "mandatory_expires_at"),
	MAYBE_TEXT("mandatoryApprovedBy", "mandatory_approved_by"),
	FLAG("emergencyExcluded", "emergency_excluded", "false"),
	OBJECT("eligibility", "eligibility", "{}"),
	OBJECT("budget", "budget", "{}"),
	OBJECT("inventory", "inventory", "{}"),
	OBJECT("frequencyCaps", "frequency_caps", "{}"),
	OBJECT("schedule", "schedule", "{}"),
	ARRAY("tags", "tags", 0),
	TEXT("productType", "product_type", "\"\""),
	MAYBE_NUMBER("margin", "margin"),
	MAYBE_NUMBER("revenueValue", "revenue_value"),
	OBJECT("metadata", "metadata", "{}"),
};

static const struct krn_kind_field creative_fields[] = {
	MUST_REFERENCE("offerRef", "offer_id", KRN_KIND_OFFER),
	MUST_REFERENCE("channelRef", "channel_id", KRN_KIND_CHANNEL),
	MAYBE_TEXT("placementId", "placement_id"),
	MAYBE_TEXT("contentItemId", "content_item_id"),
	CHOICE("status", "status", statuses, "\"draft\""),
	CHOICE("templateType", "template_type", template_types, "\"email_html\""),
	OBJECT("content", "content", "{}"),
	ARRAY("personalization", "personalization", 500),
	OBJECT("constraints", "constraints", "{}"),
	MAYBE_TEXT("abTestVariant", "ab_test_variant"),
	INTEGER("weight", "weight", "100", 0, 100),
	OBJECT("metrics", "metrics", "{}"),
};

static const struct krn_kind_field rule_fields[] = {
	TEXT("description", "description", "\"\""),
	CHOICE("status", "status", statuses, "\"active\""),
	CHOICE("scope", "scope", rule_scopes, "\"global\""),
	SCOPE_REF,
	MUST_CHOICE("ruleType", "rule_type", rule_types),
	CHOICE("stage", "stage", rule_stages, NULL), /* by the type */
	OBJECT("config", "config", "{}"),
	INTEGER("priority", "priority", "50", 0, 100),
};

static const struct krn_kind_field policy_fields[] = {
	TEXT("description", "description", "\"\""),
	CHOICE("status", "status", statuses, "\"active\""),
	CHOICE("scope", "scope", policy_scopes, "\"offer\""),
	SCOPE_REF,
	MUST_CHOICE("ruleType", "rule_type", policy_types),
	OBJECT("config", "config", "{}"),
	INTEGER("priority", "priority", "50", 0, 100),
};

static const struct krn_kind_field profile_fields[] = {
	KEY(100),
	SHORT_TEXT("description", "description", "\"\"", 1000),
	OBJECT("weights", "weights", "{}"),
};

static const struct krn_kind_field flow_fields[] = {
	KEY(255),
	TEXT("description", "description", "\"\""),
	CHOICE("status", "status", statuses, "\"draft\""),
	FLAG("autoAssembly", "auto_assembly", "true"),
	FLAG("isDefault", "is_default", "false"),
	MAYBE_CHOICE("couplingOverride", "coupling_override", coupling_modes),
	OBJECT("draftConfig", "draft_config", "{\"version\": 2, \"nodes\": [], \"flowConfig\": {}}"),
};

#define FIELDS(list) .fields = list, .fields_nr = KRN_NR(list)

const struct krn_kind krn_kinds[KRN_KIND__MAX] = {
	[KRN_KIND_CATEGORY] = { "Category", "category", "categories", "categories", "cat", 255, FIELDS(category_fields), .in_v1 = true },
	[KRN_KIND_SUBCATEGORY] = { "SubCategory", "sub_category", "sub-categories", "sub_categories", "sub", 255, FIELDS(sub_category_fields), .within = "categoryRef" },
	[KRN_KIND_CHANNEL] = { "Channel", "channel", "channels", "channels", "chan", 255, FIELDS(channel_fields), .in_v1 = true },
	[KRN_KIND_OFFER] = { "Offer", "offer", "offers", "offers", "off", 255, FIELDS(offer_fields), .in_v1 = true },
	[KRN_KIND_CREATIVE] = { "Creative", "creative", "creatives", "creatives", "crea", 255, FIELDS(creative_fields) },
	[KRN_KIND_RULE] = { "QualificationRule", "qualification_rule", "qualification-rules", "qualification_rules", "qr", 255, FIELDS(rule_fields), .needs_admin = true },
	[KRN_KIND_POLICY] = { "ContactPolicy", "contact_policy", "contact-policies", "contact_policies", "cp", 255, FIELDS(policy_fields), .needs_admin = true },
	[KRN_KIND_PROFILE] = { "RankingProfile", "ranking_profile", "ranking-profiles", "ranking_profiles", "rp", 200, FIELDS(profile_fields), .in_v1 = true },
	[KRN_KIND_FLOW] = { "DecisionFlow", "decision_flow", "decision-flows", "decision_flows", "df", 255, FIELDS(flow_fields), .in_v1 = true },
};

static const struct krn_kind_link kind_links[] = {
	{ "categoryId", "categoryRef", KRN_KIND_CATEGORY, false },
	{ "categoryIds", "categoryRefs", KRN_KIND_CATEGORY, true },
	{ "subCategoryId", "subCategoryRef", KRN_KIND_SUBCATEGORY, false },
	{ "subCategoryIds", "subCategoryRefs", KRN_KIND_SUBCATEGORY, true },
	{ "channelId", "channelRef", KRN_KIND_CHANNEL, false },
	{ "channelIds", "channelRefs", KRN_KIND_CHANNEL, true },
	{ "offerId", "offerRef", KRN_KIND_OFFER, false },
	{ "offerIds", "offerRefs", KRN_KIND_OFFER, true },
	{ "creativeId", "creativeRef", KRN_KIND_CREATIVE, false },
	{ "creativeIds", "creativeRefs", KRN_KIND_CREATIVE, true },
	{ "strategyProfileId", "strategyProfileRef", KRN_KIND_PROFILE, false },
	{ "decisionFlowId", "decisionFlowRef", KRN_KIND_FLOW, false },
};

static const struct { const char *scope; int kind; } kind_scopes[] = {
	{ "global", KRN_REF_NOTHING },
	{ "segment", KRN_REF_SEGMENT },
	{ "placement", KRN_REF_PLACEMENT },
	{ "category", KRN_KIND_CATEGORY },
	{ "subcategory", KRN_KIND_SUBCATEGORY },
	{ "channel", KRN_KIND_CHANNEL },
	{ "offer", KRN_KIND_OFFER },
	{ "creative", KRN_KIND_CREATIVE },
};

static const struct { const char *type; int phase; } kind_nodes[] = {
	{ "inventory", 1 }, { "filter", 1 }, { "match_creatives", 1 }, { "enrich", 1 },
	{ "qualify", 1 }, { "contact_policy", 1 }, { "conditional", 1 },
	{ "score", 2 }, { "optimize", 2 }, { "rank", 2 }, { "group", 2 },
	{ "compute", 3 }, { "set_properties", 3 }, { "response", 3 },
	{ "call_flow", 0 }, { "extension_point", 0 },
};
/* clang-format on */

int
krn_kind_find(struct krn_str name)
{
	for (int i = 0; i < KRN_KIND__MAX; i++)
		if (krn_str_eq_c(name, krn_kinds[i].name))
			return i;
	return -1;
}

int
krn_kind_field_find(const struct krn_kind *kind, struct krn_str name)
{
	for (size_t i = 0; i < kind->fields_nr; i++)
		if (krn_str_eq_c(name, kind->fields[i].name))
			return (int)i;
	return -1;
}

int
krn_scope_kind(struct krn_str scope)
{
	for (size_t i = 0; i < KRN_NR(kind_scopes); i++)
		if (krn_str_eq_c(scope, kind_scopes[i].scope))
			return kind_scopes[i].kind;
	return KRN_REF_UNKNOWN;
}

int
krn_flow_phase(struct krn_str type)
{
	for (size_t i = 0; i < KRN_NR(kind_nodes); i++)
		if (krn_str_eq_c(type, kind_nodes[i].type))
			return kind_nodes[i].phase;
	return -1;
}

const struct krn_kind_link *
krn_kind_link_find(struct krn_str name, bool as_ref)
{
	for (size_t i = 0; i < KRN_NR(kind_links); i++)
		if (krn_str_eq_c(name,
				 as_ref ? kind_links[i].ref : kind_links[i].id))
			return &kind_links[i];
	return NULL;
}
