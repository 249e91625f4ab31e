/* Evaluating the rules for a customer, and what depends on the pair. */

#include "base/base.h"

#include "decide/decide_policy.h"
#include "decide/decide_private.h"

static bool
decide_compare_any(const struct krn_plan_rule *rule,
		   const struct decide_value *value,
		   enum krn_attribute_type type)
{
	for (size_t i = 0; i < rule->constants_nr; i++)
		if (decide_compare(value, &rule->constants[i], type) == 0)
			return true;
	return false;
}

static bool
decide_operator(const struct krn_plan_rule *rule,
		const struct decide_value *value, enum krn_attribute_type type)
{
	const struct krn_plan_constant *constant = rule->constants;

	switch (rule->op) {
	case KRN_OP_EQ:
		return decide_compare(value, constant, type) == 0;
	case KRN_OP_NEQ:
		return decide_compare(value, constant, type) != 0;
	case KRN_OP_GT:
		return decide_compare(value, constant, type) > 0;
	case KRN_OP_GTE:
		return decide_compare(value, constant, type) >= 0;
	case KRN_OP_LT:
		return decide_compare(value, constant, type) < 0;
	case KRN_OP_LTE:
		return decide_compare(value, constant, type) <= 0;
	case KRN_OP_IN:
		return decide_compare_any(rule, value, type);
	case KRN_OP_NOT_IN:
		return !decide_compare_any(rule, value, type);
	case KRN_OP_CONTAINS:
		return constant->text.len == 0 ||
		       (value->text.len &&
			memmem(value->text.s, value->text.len, constant->text.s,
			       constant->text.len));
	case KRN_OP_EXISTS:
	case KRN_OP_NOT_EXISTS:
	case KRN_OP_STARTS_WITH: /* not of rules */
	case KRN_OP_REGEX:
		break;
	}
	return true;
}

static bool
decide_rule_condition(struct krn_decide *d, const struct krn_plan_rule *rule)
{
	const struct decide_value *value =
	    rule->column < 0 ? NULL : &d->values[rule->column];
	const bool missing = !value || value->is_null;

	if (rule->op == KRN_OP_EXISTS)
		return !missing;
	if (rule->op == KRN_OP_NOT_EXISTS)
		return missing;
	if (missing)
		return true;
	if (rule->never || (!value->is_good && rule->op != KRN_OP_CONTAINS)) {
		d->out->conversion_failures++;
		return false;
	}
	return decide_operator(rule, value,
			       d->plan->columns[rule->column].type);
}

/* Is the moment in the column not too long ago? One to come is not. */
static bool
decide_recency(struct krn_decide *d, const struct krn_plan_rule *rule)
{
	const struct decide_value *value =
	    rule->column < 0 ? NULL : &d->values[rule->column];
	struct decide_value at;

	if (!value || value->is_null)
		return true;
	/* of a text column too */
	decide_value_read(&at, value->text, KRN_ATTRIBUTE_TIME);
	if (!at.is_good) {
		d->out->conversion_failures++;
		return false;
	}
	return at.integer >= d->plan->times.now_us - rule->max_age_us;
}

static bool
decide_looks(const struct krn_decide *d, const struct krn_plan_rule *rule)
{
	return !rule->scope_segment ||
	       (d->customer->segments & rule->scope_segment);
}

/* Who is not looked at is neither dropped nor multiplied. */
static bool
decide_rule_passes(struct krn_decide *d, const struct krn_plan_rule *rule)
{
	const uint64_t segments = d->customer->segments;

	if (!decide_looks(d, rule))
		return rule->stage != KRN_STAGE_MATCH;
	switch (rule->type) {
	case KRN_RULE_CONDITION:
		return decide_rule_condition(d, rule);
	case KRN_RULE_SEGMENTS:
		return (segments & rule->segments) == rule->segments;
	case KRN_RULE_RECENCY:
		return decide_recency(d, rule);
	case KRN_RULE_METRIC:
		return decide_metric(d->plan, &rule->metric, NULL, d->customer);
	case KRN_RULE_PROPENSITY:
		break; /* by the pair */
	}
	return true;
}

void
decide_rules(struct krn_decide *d)
{
	const struct krn_plan *plan = d->plan;
	const struct krn_customer *customer = d->customer;

	for (size_t i = 0; i < plan->columns_nr; i++)
		decide_value_read(&d->values[i], customer->columns[i],
				  plan->columns[i].type);
	memset(d->failed, 0, sizeof(d->failed));
	for (size_t i = 0; i < plan->rules_nr; i++)
		if (!decide_rule_passes(d, &plan->rules[i]))
			d->failed[i / 64] |= UINT64_C(1) << i % 64;
}

static void
decide_set(uint64_t *mask, size_t bit, bool value)
{
	const uint64_t one = UINT64_C(1) << bit % 64;

	mask[bit / 64] = value ? mask[bit / 64] | one : mask[bit / 64] & ~one;
}

/* The rules and policies that see each pair otherwise. */
void
decide_pair(struct krn_decide *d, const struct krn_plan_pair *pair)
{
	const struct krn_plan *plan = d->plan;

	for (size_t i = 0; i < plan->pair_rules_nr; i++) {
		const size_t at = plan->pair_rules[i];
		const struct krn_plan_rule *rule = &plan->rules[at];

		double propensity;

		if (!decide_looks(d, rule))
			continue;
		const bool is_good = decide_propensity(
		    d, &plan->models[rule->model], pair->offer, &propensity);

		d->out->conversion_failures += !is_good;
		decide_set(d->failed, at,
			   !is_good || propensity < rule->min_score);
	}
	for (size_t i = 0; i < plan->pair_policies_nr; i++) {
		const size_t at = plan->pair_policies[i];

		decide_set(d->blocked, at,
			   decide_group_blocks(d->holders[at], pair));
	}
}
