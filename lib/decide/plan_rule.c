/*
 * Qualification rules: conditions with typed constants, required segments.
 */

#include "base/base.h"

#include "base/clock.h"
#include "decide/plan_private.h"

static const struct {
	const char *name;
	enum krn_plan_operator op;
} rule_operators[] = {
    {"eq", KRN_OP_EQ},
    {"equals", KRN_OP_EQ},
    {"neq", KRN_OP_NEQ},
    {"not_equals", KRN_OP_NEQ},
    {"gt", KRN_OP_GT},
    {"gte", KRN_OP_GTE},
    {"lt", KRN_OP_LT},
    {"lte", KRN_OP_LTE},
    {"in", KRN_OP_IN},
    {"not_in", KRN_OP_NOT_IN},
    {"contains", KRN_OP_CONTAINS},
    {"exists", KRN_OP_EXISTS},
    {"not_exists", KRN_OP_NOT_EXISTS},
};

bool
plan_operator(struct krn_str name, enum krn_plan_operator *ret)
{
	for (size_t i = 0; i < KRN_NR(rule_operators); i++) {
		if (krn_str_eq_c(name, rule_operators[i].name)) {
			*ret = rule_operators[i].op;
			return true;
		}
	}
	return false;
}

/* A scalar as text, as PostgreSQL would print it. */
bool
plan_scalar_text(struct krn_arena *arena, const struct krn_value *value,
		 struct krn_str *ret)
{
	char number[KRN_DOUBLE_TEXT_BYTES];

	switch (value->type) {
	case KRN_VALUE_STRING:
		*ret = value->string;
		return true;
	case KRN_VALUE_INT:
		*ret = krn_str_printf(arena, "%lld", (long long)value->integer);
		return ret->s != NULL;
	case KRN_VALUE_DOUBLE:
		krn_format_double(value->number, number);
		*ret = krn_str_dup(arena, krn_str_c(number));
		return ret->s != NULL;
	case KRN_VALUE_BOOL:
		*ret = value->boolean ? KRN_STR("true") : KRN_STR("false");
		return true;
	case KRN_VALUE_NULL:
	case KRN_VALUE_ARRAY:
	case KRN_VALUE_OBJECT:
		break;
	}
	return false;
}

static bool
rule_bool(struct krn_str text, int64_t *ret)
{
	static const char *const yes[] = {"t", "true", "yes", "on", "1"};
	static const char *const no[] = {"f", "false", "no", "off", "0"};

	for (size_t i = 0; i < KRN_NR(yes); i++) {
		if (krn_str_eq_c(text, yes[i]) || krn_str_eq_c(text, no[i])) {
			*ret = krn_str_eq_c(text, yes[i]);
			return true;
		}
	}
	return false;
}

/* "2026-03-30" or a time */
static bool
rule_time(struct krn_arena *arena, struct krn_str text, int64_t *ret)
{
	if (text.len == 10) {
		text =
		    krn_str_printf(arena, "%.*sT00:00:00Z", KRN_STR_ARG(text));
		if (!text.s)
			return false;
	}
	return krn_time_parse(text, ret, NULL) == KRN_OK;
}

/* The constant in the column's type; false: it cannot be converted. */
bool
plan_constant(struct krn_arena *arena, const struct krn_value *value,
	      enum krn_attribute_type type, struct krn_plan_constant *ret)
{
	*ret = (struct krn_plan_constant){{NULL, 0}, 0, 0, false};
	if (!plan_scalar_text(arena, value, &ret->text))
		return false;
	switch (type) {
	case KRN_ATTRIBUTE_TEXT:
		return true;
	case KRN_ATTRIBUTE_INT:
	case KRN_ATTRIBUTE_DOUBLE:
		ret->is_integer =
		    krn_parse_int64(ret->text, INT64_MIN, INT64_MAX,
				    &ret->integer, NULL) == KRN_OK;
		return krn_parse_double(ret->text, &ret->number, NULL) ==
		       KRN_OK;
	case KRN_ATTRIBUTE_BOOL:
		return rule_bool(ret->text, &ret->integer);
	case KRN_ATTRIBUTE_TIME:
		return rule_time(arena, ret->text, &ret->integer);
	}
	return false;
}

static enum krn_err
rule_constants(struct plan_build *build, const struct krn_value *value,
	       struct krn_plan_rule *rule)
{
	const bool wants_list =
	    rule->op == KRN_OP_IN || rule->op == KRN_OP_NOT_IN;
	const bool is_list = value && value->type == KRN_VALUE_ARRAY;
	/* contains compares texts, whatever the column's type */
	const enum krn_attribute_type type =
	    rule->column < 0 || rule->op == KRN_OP_CONTAINS
		? KRN_ATTRIBUTE_TEXT
		: build->plan->columns[rule->column].type;

	if (rule->op == KRN_OP_EXISTS || rule->op == KRN_OP_NOT_EXISTS)
		return KRN_OK;
	if (!value || is_list != wants_list)
		return plan_refuse(build, "rule \"%.*s\": value must be %s",
				   KRN_STR_ARG(rule->name),
				   wants_list ? "a list" : "a scalar");
	const size_t nr = is_list ? value->array.nr : 1;
	struct krn_plan_constant *constants =
	    krn_arena_calloc(build->arena, nr, sizeof(*constants));

	if (!constants)
		return krn_arena_fail(build->arena, build->err);
	for (size_t i = 0; i < nr; i++)
		if (!plan_constant(build->arena,
				   is_list ? &value->array.items[i] : value,
				   type, &constants[i]))
			rule->never = true;
	rule->constants = constants;
	rule->constants_nr = nr;
	return KRN_OK;
}

static enum krn_err
rule_condition(struct plan_build *build, const struct krn_value *config,
	       struct krn_plan_rule *rule)
{
	const struct krn_str name = plan_text(config, "operator");
	enum krn_err e;

	if (!plan_operator(name, &rule->op))
		return plan_refuse(build,
				   "rule \"%.*s\": unknown operator \"%.*s\"",
				   KRN_STR_ARG(rule->name), KRN_STR_ARG(name));
	if ((e = plan_column(build, plan_text(config, "attribute"),
			     &rule->column, build->err)))
		return e;
	return rule_constants(build, krn_value_find(config, "value"), rule);
}

enum krn_err
plan_segment_bit(struct plan_build *build, const char *member,
		 struct krn_str value, struct krn_str owner, uint64_t *ret)
{
	const struct krn_value *list =
	    krn_value_find(build->config, "segments");
	struct krn_plan *plan = build->plan;

	for (size_t i = 0;
	     list && list->type == KRN_VALUE_ARRAY && i < list->array.nr; i++) {
		const struct krn_value *segment = &list->array.items[i];
		const struct krn_str view = plan_text(segment, "viewName");
		size_t bit = 0;

		if (!krn_str_eq(plan_text(segment, member), value))
			continue;
		while (bit < plan->segments_nr &&
		       !krn_str_eq(plan->segments[bit], view))
			bit++;
		if (bit == KRN_PLAN_SEGMENTS_MAX)
			return plan_refuse(build,
					   "more than %d segments are required",
					   KRN_PLAN_SEGMENTS_MAX);
		if (bit == plan->segments_nr)
			plan->segments[plan->segments_nr++] = view;
		*ret |= UINT64_C(1) << bit;
		return KRN_OK;
	}
	if (build->is_check)
		return KRN_OK;
	return plan_refuse(build, "\"%.*s\": no segment \"%.*s\"",
			   KRN_STR_ARG(owner), KRN_STR_ARG(value));
}

static enum krn_err
rule_segments(struct plan_build *build, const struct krn_value *config,
	      struct krn_plan_rule *rule)
{
	const struct krn_value *list =
	    krn_value_find(config, "requiredSegments");
	enum krn_err e;

	rule->type = KRN_RULE_SEGMENTS;
	if (!list || list->type != KRN_VALUE_ARRAY)
		return plan_refuse(build,
				   "rule \"%.*s\": requiredSegments must be a "
				   "list",
				   KRN_STR_ARG(rule->name));
	for (size_t i = 0; i < list->array.nr; i++)
		if ((e = plan_segment_bit(build, "name",
					  list->array.items[i].type ==
						  KRN_VALUE_STRING
					      ? list->array.items[i].string
					      : KRN_STR(""),
					  rule->name, &rule->segments)))
			return e;
	return KRN_OK;
}

/* Without scores of that model the default one's count. */
static enum krn_err
rule_propensity(struct plan_build *build, const struct krn_value *config,
		struct krn_plan_rule *rule)
{
	struct krn_plan *plan = build->plan;

	rule->type = KRN_RULE_PROPENSITY;
	if (!krn_value_number(krn_value_find(config, "minScore"),
			      &rule->min_score) ||
	    !(rule->min_score >= 0 && rule->min_score <= 1))
		return plan_refuse(build,
				   "rule \"%.*s\": minScore must be a number "
				   "from 0 to 1",
				   KRN_STR_ARG(rule->name));
	plan->pair_rules[plan->pair_rules_nr++] =
	    (uint32_t)(rule - plan->rules);
	return plan_model(build, plan_text(config, "model"), false,
			  &rule->model);
}

static enum krn_err
rule_recency(struct plan_build *build, const struct krn_value *config,
	     struct krn_plan_rule *rule)
{
	enum krn_err e;

	rule->type = KRN_RULE_RECENCY;
	if ((e = plan_days(build, rule->name, config, "maxDays", true,
			   &rule->max_age_us)))
		return e;
	return plan_column(build, plan_text(config, "attribute"), &rule->column,
			   build->err);
}

static enum krn_err
rule_metric(struct plan_build *build, const struct krn_value *config,
	    struct krn_plan_rule *rule)
{
	rule->type = KRN_RULE_METRIC;
	return plan_read_metric(build, rule->name, config, &rule->metric);
}

/* Stage and what it does with the score. */
static enum krn_err
rule_stage(struct plan_build *build, const struct krn_value *from,
	   struct krn_plan_rule *rule)
{
	const struct krn_str stage = plan_text(from, "stage");
	const struct krn_value *config = krn_value_find(from, "config");
	const bool is_fit = krn_str_eq_c(stage, "fit");
	const bool is_match = krn_str_eq_c(stage, "match");
	const bool has_factor = krn_value_number(
	    krn_value_find(config, is_fit ? "decay" : "multiplier"),
	    &rule->factor);

	if (!has_factor)
		rule->factor = 1;
	if (krn_str_eq_c(stage, "eligibility")) {
		rule->stage = KRN_STAGE_ELIGIBILITY;
		rule->is_hard = true;
	} else if (is_fit) {
		rule->stage = KRN_STAGE_FIT;
		rule->is_hard = !has_factor;
	} else if (is_match) {
		rule->stage = KRN_STAGE_MATCH;
	} else {
		return plan_refuse(build,
				   "rule \"%.*s\": stage %.*s is not supported",
				   KRN_STR_ARG(rule->name), KRN_STR_ARG(stage));
	}
	if ((is_fit && has_factor &&
	     !(rule->factor >= 0.1 && rule->factor <= 1)) ||
	    (is_match && !(rule->factor >= 0 && rule->factor <= 10)))
		return plan_refuse(build, "rule \"%.*s\": %s is out of range",
				   KRN_STR_ARG(rule->name),
				   is_fit ? "decay" : "multiplier");
	return KRN_OK;
}

static const struct {
	const char *name;
	enum krn_err (*read)(struct plan_build *build,
			     const struct krn_value *config,
			     struct krn_plan_rule *rule);
} rule_types[] = {
    {"attribute_condition", rule_condition},
    {"segment_required", rule_segments},
    {"propensity_threshold", rule_propensity},
    {"recency_check", rule_recency},
    {"metric_condition", rule_metric},
};

enum krn_err
plan_read_rule(struct plan_build *build, const struct krn_value *from,
	       struct krn_plan_rule *rule)
{
	const struct krn_str type = plan_text(from, "ruleType");
	enum krn_err e;

	rule->id = plan_text(from, "id");
	rule->name = plan_text(from, "name");
	rule->column = -1;
	if ((e = rule_stage(build, from, rule)))
		return e;
	if (krn_str_eq_c(plan_text(from, "scope"), "segment") &&
	    (e = plan_segment_bit(build, "id", plan_text(from, "scopeId"),
				  rule->name, &rule->scope_segment)))
		return e;
	for (size_t i = 0; i < KRN_NR(rule_types); i++)
		if (krn_str_eq_c(type, rule_types[i].name))
			return rule_types[i].read(
			    build, krn_value_find(from, "config"), rule);
	return plan_refuse(build,
			   "rule \"%.*s\": type %.*s is not supported yet",
			   KRN_STR_ARG(rule->name), KRN_STR_ARG(type));
}

enum krn_err
plan_read_rules(struct plan_build *build)
{
	const struct krn_value *list = krn_value_find(build->config, "rules");
	struct krn_plan *plan = build->plan;
	enum krn_err e;

	if (!list || list->type != KRN_VALUE_ARRAY ||
	    !plan_flow_has(build, "qualify"))
		return KRN_OK;
	if (list->array.nr > KRN_PLAN_RULES_MAX)
		return plan_refuse(build, "more than %d active rules",
				   KRN_PLAN_RULES_MAX);
	plan->rules = krn_arena_calloc(build->arena, list->array.nr,
				       sizeof(*plan->rules));
	plan->pair_rules = krn_arena_calloc(build->arena, list->array.nr,
					    sizeof(*plan->pair_rules));
	if (!plan->rules || !plan->pair_rules)
		return krn_arena_fail(build->arena, build->err);
	for (size_t i = 0; i < list->array.nr; i++)
		if ((e = plan_read_rule(build, &list->array.items[i],
					&plan->rules[plan->rules_nr++])))
			return e;
	return KRN_OK;
}
