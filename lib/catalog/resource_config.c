/*
 * What the config of a rule or a contact policy may hold, by its type.
 *
 * Source: contract section 7; spec, field lists, 2.6 and 2.7. A config is
 * free-form: other members are kept, unless they look like a slip of the pen
 * for one that is known, which would silently switch a cap off.
 */

#include "base/base.h"

#include "catalog/resource_private.h"

#include <stdarg.h>

enum config_type {
	CONFIG_TEXT,
	CONFIG_NUMBER,
	CONFIG_WHOLE,
	CONFIG_FLAG,
	CONFIG_LIST,
	CONFIG_ANY
};

struct config_member {
	const char *name;
	enum config_type type;
	bool required;
	double min, max; /* of numbers */
	const char *const *choices;
};

struct config_shape {
	const char *type; /* of rule or policy */
	const struct config_member *members;
	size_t nr;
	bool needs_one; /* of the members, any */
};

/* clang-format off */
static const char *const rule_operators[] = {"eq", "neq", "gt", "gte", "lt", "lte", "in", "not_in", "contains", "exists", "not_exists", "equals", "not_equals", NULL};
static const char *const metric_operators[] = {"eq", "neq", "gt", "gte", "lt", "lte", NULL};
static const char *const outcome_actions[] = {"suppress", NULL};

#define TEXT(member, must)  { .name = member, .type = CONFIG_TEXT, .required = must }
#define ONE_OF(member, list, must) { .name = member, .type = CONFIG_TEXT, .choices = list, .required = must }
#define LIST(member, must)  { .name = member, .type = CONFIG_LIST, .required = must }
#define FLAG(member)        { .name = member, .type = CONFIG_FLAG }
#define ANY(member)         { .name = member, .type = CONFIG_ANY }
#define NUMBER(member, low, high, must) { .name = member, .type = CONFIG_NUMBER, .min = low, .max = high, .required = must }
#define WHOLE(member, low, high, must)  { .name = member, .type = CONFIG_WHOLE, .min = low, .max = high, .required = must }

/* ten years: longer windows are mistakes */
#define DAYS_MAX 3650
#define HOURS_MAX 87600
#define COUNT_MAX 1e9

static const struct config_member attribute_condition[] = {
	TEXT("attribute", true), ONE_OF("operator", rule_operators, true), ANY("value"),
};
static const struct config_member segment_required[] = { LIST("requiredSegments", true) };
static const struct config_member propensity_threshold[] = { TEXT("model", false), NUMBER("minScore", 0, 1, true) };
static const struct config_member recency_check[] = { TEXT("attribute", true), NUMBER("maxDays", 0, DAYS_MAX, true) };
static const struct config_member metric_condition[] = {
	TEXT("metric", true), ONE_OF("operator", metric_operators, true), NUMBER("value", -1e308, 1e308, true),
	NUMBER("windowDays", 0, DAYS_MAX, false),
};
static const struct config_member caps[] = {
	WHOLE("maxPerDay", 0, COUNT_MAX, false), WHOLE("maxPerWeek", 0, COUNT_MAX, false),
	WHOLE("maxPerMonth", 0, COUNT_MAX, false), WHOLE("maxTotal", 0, COUNT_MAX, false),
};
static const struct config_member frequency_cap[] = {
	WHOLE("maxPerDay", 0, COUNT_MAX, false), WHOLE("maxPerWeek", 0, COUNT_MAX, false),
	WHOLE("maxPerMonth", 0, COUNT_MAX, false), WHOLE("maxTotal", 0, COUNT_MAX, false),
	NUMBER("lookbackHours", 0, HOURS_MAX, false), TEXT("withinCampaignId", false), LIST("excludeCampaignIds", false),
};
static const struct config_member cooldown[] = { NUMBER("cooldownHours", 0, HOURS_MAX, true) };
static const struct config_member budget_exhausted[] = { FLAG("checkImpressions"), FLAG("checkDailyBudget") };
static const struct config_member outcome_based[] = {
	TEXT("outcomeType", true), NUMBER("lookbackDays", 0, DAYS_MAX, true), ONE_OF("action", outcome_actions, false),
};
static const struct config_member segment_exclusion[] = { LIST("excludeSegments", true) };
static const struct config_member time_window[] = {
	LIST("allowedDays", false), WHOLE("startHour", 0, 23, false), WHOLE("endHour", 0, 24, false),
};
static const struct config_member mutual_exclusion[] = { LIST("offerGroup", true) };
static const struct config_member category_suppression[] = {
	TEXT("categoryRef", false), TEXT("subCategoryRef", false), NUMBER("suppressionDays", 0, DAYS_MAX, true),
};

/* what any rule or policy may hold as well */
static const struct config_member config_common[] = {
	NUMBER("decay", 0.1, 1, false), NUMBER("multiplier", 0, 10, false), FLAG("bypassable"),
};

#define SHAPE(name, one) { #name, name, KRN_NR(name), one }

static const struct config_shape config_shapes[] = {
	SHAPE(attribute_condition, false), SHAPE(segment_required, false),
	SHAPE(propensity_threshold, false), SHAPE(recency_check, false), SHAPE(metric_condition, false),
	SHAPE(frequency_cap, true), SHAPE(cooldown, false), SHAPE(budget_exhausted, false), SHAPE(outcome_based, false),
	SHAPE(segment_exclusion, false), SHAPE(time_window, false), SHAPE(mutual_exclusion, false),
	{ "cross_channel_cap", caps, KRN_NR(caps), true }, { "customer_total_cap", caps, KRN_NR(caps), true },
	SHAPE(category_suppression, false),
};
/* clang-format on */

static void KRN_PRINTF(4, 5)
    config_problem(struct resource_read *read, const struct krn_value *at,
		   const char *name, const char *format, ...)
{
	char field[128], text[300];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	snprintf(field, sizeof(field), "config.%.100s", name);
	resource_problem_at(read, at, field, "%s", text);
}

static void
config_check_choice(struct resource_read *read,
		    const struct config_member *member,
		    const struct krn_value *value)
{
	char list[200] = "";
	size_t len = 0;

	for (size_t i = 0; member->choices[i]; i++)
		if (krn_str_eq_c(value->string, member->choices[i]))
			return;
	for (size_t i = 0; member->choices[i] && len < sizeof(list); i++)
		len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s",
					i ? ", " : "", member->choices[i]);
	config_problem(read, value, member->name, "must be one of %s", list);
}

static void
config_check_member(struct resource_read *read,
		    const struct config_member *member,
		    const struct krn_value *value)
{
	static const struct {
		const char *what;
		unsigned types; /* bits of enum krn_value_type */
	} wanted[] = {
	    [CONFIG_TEXT] = {"a string", 1u << KRN_VALUE_STRING},
	    [CONFIG_NUMBER] = {"a number",
			       1u << KRN_VALUE_INT | 1u << KRN_VALUE_DOUBLE},
	    [CONFIG_WHOLE] = {"a whole number", 1u << KRN_VALUE_INT},
	    [CONFIG_FLAG] = {"a boolean", 1u << KRN_VALUE_BOOL},
	    [CONFIG_LIST] = {"a list", 1u << KRN_VALUE_ARRAY},
	    [CONFIG_ANY] = {"", ~0u},
	};
	double number;

	if (value->type == KRN_VALUE_NULL && !member->required)
		return;
	if (!(wanted[member->type].types >> value->type & 1))
		config_problem(read, value, member->name, "must be %s",
			       wanted[member->type].what);
	else if (member->choices)
		config_check_choice(read, member, value);
	else if ((member->type == CONFIG_NUMBER ||
		  member->type == CONFIG_WHOLE) &&
		 krn_value_number(value, &number) &&
		 (number < member->min || number > member->max))
		config_problem(read, value, member->name, "must be %g to %g",
			       member->min, member->max);
}

static const struct config_member *
config_find(const struct config_member *members, size_t nr, struct krn_str name)
{
	for (size_t i = 0; i < nr; i++)
		if (krn_str_eq_c(name, members[i].name))
			return &members[i];
	return NULL;
}

/* A member that is not known, but nearly: "maxPerday". */
static void
config_check_unknown(struct resource_read *read,
		     const struct config_shape *shape,
		     const struct krn_member *member)
{
	for (size_t i = 0; i < shape->nr; i++)
		if (krn_str_distance(member->name,
				     krn_str_c(shape->members[i].name)) <= 2) {
			config_problem(read, &member->value, member->name.s,
				       "unknown; did you mean \"%s\"?",
				       shape->members[i].name);
			return;
		}
}

/* attribute_condition: all operators but the last two compare with a value */
static void
config_check_value(struct resource_read *read, const struct krn_value *config)
{
	const struct krn_value *operator_is =
	    krn_value_find(config, "operator");

	if (operator_is && operator_is->type == KRN_VALUE_STRING &&
	    !krn_str_eq_c(operator_is->string, "exists") &&
	    !krn_str_eq_c(operator_is->string, "not_exists") &&
	    !krn_value_find(config, "value"))
		config_problem(read, config, "value", "is required");
}

static void
config_check(struct resource_read *read, const struct config_shape *shape,
	     const struct krn_value *config)
{
	size_t known = 0;

	for (size_t i = 0; i < config->object.nr; i++) {
		const struct krn_member *m = &config->object.members[i];
		const struct config_member *member =
		    config_find(shape->members, shape->nr, m->name);

		known += member && m->value.type != KRN_VALUE_NULL;
		if (!member)
			member = config_find(config_common,
					     KRN_NR(config_common), m->name);
		if (member)
			config_check_member(read, member, &m->value);
		else
			config_check_unknown(read, shape, m);
	}
	for (size_t i = 0; i < shape->nr; i++)
		if (shape->members[i].required &&
		    !krn_value_find(config, shape->members[i].name))
			config_problem(read, config, shape->members[i].name,
				       "is required");
	if (shape->needs_one && known == 0)
		resource_problem(read, "config", "must hold a cap, such as %s",
				 shape->members[0].name);
	if (shape->members == attribute_condition)
		config_check_value(read, config);
}

void
resource_check_config(struct resource_read *read)
{
	const struct krn_value *type =
	    krn_resource_get(read->resource, "ruleType");
	const struct krn_value *config =
	    krn_resource_get(read->resource, "config");

	if (type->type != KRN_VALUE_STRING || config->type != KRN_VALUE_OBJECT)
		return;
	for (size_t i = 0; i < KRN_NR(config_shapes); i++)
		if (krn_str_eq_c(type->string, config_shapes[i].type))
			config_check(read, &config_shapes[i], config);
}
