/* A random world, and its configuration as a document. */

#include "base/base.h"

#include "decide_typed.h"

#include "base/buf.h"
#include "t/unit/random.h"

static const char *const typed_names[] = {
    "frequency_cap",        "cross_channel_cap",
    "customer_total_cap",   "cooldown",
    "outcome_based",        "mutual_exclusion",
    "category_suppression", "metric_condition",
    "segment_exclusion",    "allow_override"};
static const char *const typed_rules[] = {"propensity_threshold",
					  "recency_check", "metric_condition"};
static const char *const typed_stages[] = {"eligibility", "fit", "match"};
/* a rule's last scope is a segment */
static const char *const typed_scopes[] = {
    "global", "offer", "channel", "category", "subcategory", "segment"};
static const char *const typed_ids[] = {"", "o", "c", "g", "s", ""};
static const char *const typed_operators[] = {"eq",  "neq", "gt",
					      "gte", "lt",  "lte"};

struct typed_world typed;

static int
typed_object(int scope)
{
	static const int bounds[] = {1, OFFERS, CHANNELS, 2, 3, 2};

	return random_below(bounds[scope]);
}

static struct typed_count
typed_make_count(void)
{
	return (struct typed_count){random_below(2), random_below(6),
				    random_below(4), random_below(5)};
}

static struct typed_event
typed_make_event(void)
{
	return (struct typed_event){
	    random_below(OFFERS + 1) - 1, random_below(CHANNELS),
	    random_below(4) - 1, random_below(2),
	    CASE_NOW - (1 + random_below(100)) * CASE_HOUR};
}

static void
typed_make_policy(struct typed_look *policy)
{
	policy->type = (enum typed_policy)random_below(TYPES);
	/* they hide the others */
	if (policy->type == OVERRIDE && random_below(2))
		policy->type = GROUP;
	policy->scope = random_below(5);
	policy->object = typed_object(policy->scope);
	policy->max = random_below(6);
	policy->days = 1 + random_below(4);
	policy->within = random_below(3) ? -1 : random_below(3);
	policy->without = random_below(3) ? -1 : random_below(3);
	policy->is_firm = random_below(3) == 0;
	policy->group = 1u << random_below(OFFERS) | 1u << random_below(OFFERS) |
			1u << random_below(OFFERS);
	policy->count = typed_make_count();
}

void
typed_make(uint64_t seed)
{
	random_state = seed * UINT64_C(0x9E3779B97F4A7C15);
	typed.max = 1 + random_below(5);
	typed.since_days = random_below(6) - 1;
	typed.segments = (unsigned)random_below(4);
	for (int i = 0; i < 2; i++)
		typed.propensity[i] = random_below(6) * 0.25 - 0.25;
	for (int i = 0; i < OFFERS; i++) {
		typed.priority[i] = 10 * random_below(11);
		typed.mandatory[i] = random_below(4) == 0;
	}
	for (int i = 0; i < RULES; i++) {
		struct typed_rule *rule = &typed.rules[i];

		rule->type = random_below(3);
		rule->stage = random_below(3);
		rule->scope = random_below(6);
		rule->object = typed_object(rule->scope);
		rule->days = random_below(5);
		rule->min_score = random_below(5) * 0.25;
		rule->factor = rule->stage == 1 ? 0.3 + 0.1 * random_below(7)
						: 0.1 * random_below(30);
		rule->count = typed_make_count();
	}
	for (int i = 0; i < POLICIES; i++)
		typed_make_policy(&typed.policies[i]);
	for (int i = 0; i < EVENTS; i++) {
		typed.contacts[i] = typed_make_event();
		typed.answers[i] = typed_make_event();
	}
}

/* As a document */

static void
typed_write_head(struct krn_buf *buf, const char *name, int i, int scope,
		 int object)
{
	krn_buf_printf(buf,
		       "%s{\"id\":\"%s%d\",\"name\":\"%s%d\",\"scope\":\"%s\"",
		       i ? "," : "", name, i, name, i, typed_scopes[scope]);
	/* the segments' ids are 1 and 2 */
	if (scope)
		krn_buf_printf(buf, ",\"scopeId\":\"%s%d\"", typed_ids[scope],
			       object + (scope == 5));
}

static void
typed_write_count(struct krn_buf *buf, const struct typed_count *count)
{
	krn_buf_printf(buf,
		       "\"metric\":\"%s\",\"operator\":\"%s\",\"value\":%d",
		       count->is_clicks ? "clicks" : "impressions",
		       typed_operators[count->op], count->value);
	if (count->days)
		krn_buf_printf(buf, ",\"windowDays\":%d", count->days);
}

static void
typed_write_rule(struct krn_buf *buf, int i)
{
	const struct typed_rule *rule = &typed.rules[i];

	typed_write_head(buf, "r", i, rule->scope, rule->object);
	krn_buf_printf(buf,
		       ",\"ruleType\":\"%s\",\"stage\":\"%s\",\"config\":{",
		       typed_rules[rule->type], typed_stages[rule->stage]);
	if (rule->type == 0)
		krn_buf_printf(buf, "\"minScore\":%.17g", rule->min_score);
	else if (rule->type == 1)
		krn_buf_printf(buf, "\"attribute\":\"since\",\"maxDays\":%d",
			       rule->days);
	else
		typed_write_count(buf, &rule->count);
	if (rule->stage)
		krn_buf_printf(buf, ",\"%s\":%.17g",
			       rule->stage == 1 ? "decay" : "multiplier",
			       rule->factor);
	krn_buf_add_c(buf, "}}");
}

static void
typed_write_group(struct krn_buf *buf, unsigned group)
{
	const char *comma = "";

	krn_buf_add_c(buf, "\"offerGroup\":[");
	for (int o = 0; o < OFFERS; o++, group >>= 1) {
		if (!(group & 1))
			continue;
		/* by name or by id */
		if (o % 2)
			krn_buf_printf(buf, "%s\"%c\"", comma, 'a' + o);
		else
			krn_buf_printf(buf, "%s\"o%d\"", comma, o);
		comma = ",";
	}
	krn_buf_add_c(buf, "]");
}

static void
typed_write_cap(struct krn_buf *buf, const struct typed_look *policy)
{
	krn_buf_printf(buf, "\"maxTotal\":%d,\"lookbackHours\":%d", policy->max,
		       policy->days * 24);
	if (policy->within >= 0)
		krn_buf_printf(buf, ",\"withinCampaignId\":\"m%d\"",
			       policy->within);
	if (policy->without >= 0)
		krn_buf_printf(buf, ",\"excludeCampaignIds\":[\"m%d\"]",
			       policy->without);
}

static void
typed_write_policy(struct krn_buf *buf, int i)
{
	const struct typed_look *policy = &typed.policies[i];

	typed_write_head(buf, "p", i, policy->scope, policy->object);
	krn_buf_printf(buf, ",\"ruleType\":\"%s\",\"config\":{",
		       typed_names[policy->type]);
	if (policy->type <= CUSTOMER_TOTAL)
		typed_write_cap(buf, policy);
	else if (policy->type == COOLDOWN)
		krn_buf_printf(buf, "\"cooldownHours\":%d", policy->days * 24);
	else if (policy->type == OUTCOME)
		krn_buf_printf(
		    buf, "\"outcomeType\":\"dismiss\",\"lookbackDays\":%d",
		    policy->days);
	else if (policy->type == GROUP)
		typed_write_group(buf, policy->group);
	else if (policy->type == SUPPRESSION)
		krn_buf_printf(buf,
			       "\"categoryId\":\"g%d\",\"suppressionDays\":%d",
			       policy->max % 2, policy->days);
	else if (policy->type == METRIC)
		typed_write_count(buf, &policy->count);
	else if (policy->type == SEGMENT)
		krn_buf_add_c(buf, "\"excludeSegments\":[\"new\"]");
	if (policy->is_firm)
		krn_buf_printf(buf, "%s\"bypassable\":false",
			       policy->type == OVERRIDE ? "" : ",");
	krn_buf_add_c(buf, "}}");
}

struct krn_str
typed_write(struct krn_arena *arena)
{
	struct krn_buf buf;
	struct krn_str text = {NULL, 0};

	krn_buf_init(&buf, arena);
	krn_buf_printf(
	    &buf,
	    "{\"flow\":{\"config\":{\"nodes\":[{\"type\":\"inventory\"},"
	    "{\"type\":\"qualify\"},{\"type\":\"contact_policy\"},"
	    "{\"type\":\"score\"},{\"type\":\"rank\",\"config\":"
	    "{\"maxCandidates\":%d}},{\"type\":\"response\"}]}},"
	    "\"campaign\":{\"id\":\"m%d\"},\"segments\":["
	    "{\"id\":\"1\",\"name\":\"vip\",\"viewName\":\"v1\"},"
	    "{\"id\":\"2\",\"name\":\"new\",\"viewName\":\"v2\"}],"
	    "\"offers\":[",
	    typed.max, OWN_CAMPAIGN);
	for (int i = 0; i < OFFERS; i++)
		krn_buf_printf(&buf,
			       "%s{\"id\":\"o%d\",\"name\":\"%c\",\"status\":"
			       "\"active\",\"priority\":%d,\"categoryId\":"
			       "\"g%d\",\"subCategoryId\":\"s%d\","
			       "\"mandatory\":%s}",
			       i ? "," : "", i, 'a' + i, typed.priority[i],
			       i % 2, i % 3,
			       typed.mandatory[i] ? "true" : "false");
	krn_buf_add_c(&buf, "],\"channels\":[");
	for (int i = 0; i < CHANNELS; i++)
		krn_buf_printf(&buf,
			       "%s{\"id\":\"c%d\",\"name\":\"c%d\",\"status\":"
			       "\"active\",\"deliveryMode\":\"file\"}",
			       i ? "," : "", i, i);
	krn_buf_add_c(&buf, "],\"rules\":[");
	for (int i = 0; i < RULES; i++)
		typed_write_rule(&buf, i);
	krn_buf_add_c(&buf, "],\"policies\":[");
	for (int i = 0; i < POLICIES; i++)
		typed_write_policy(&buf, i);
	krn_buf_add_c(&buf, "]}");
	assert_int_equal(krn_buf_end(&buf, &text, NULL), KRN_OK);
	return text;
}
