/*
 * Values in their type; the conditions of filters.
 */

#include "base/base.h"

#include "decide/decide_private.h"

#include "base/clock.h"
#include "decide/plan_private.h"

/* "2026-03-30" or "2026-03-30 10:00:00+00", as PostgreSQL prints them */
static bool
decide_time(struct krn_str text, int64_t *ret)
{
	char day[] = "0000-00-00T00:00:00Z";

	if (text.len == 10) {
		memcpy(day, text.s, 10);
		text = krn_str_c(day);
	}
	return krn_time_parse(text, ret, NULL) == KRN_OK;
}

void
decide_value_read(struct decide_value *value, struct krn_str text,
		  enum krn_attribute_type type)
{
	value->text = text;
	value->is_null = !text.s;
	value->is_good = true;
	if (!text.s)
		return;
	switch (type) {
	case KRN_ATTRIBUTE_TEXT:
		break;
	case KRN_ATTRIBUTE_INT:
		value->is_good =
		    krn_parse_int64(text, INT64_MIN, INT64_MAX, &value->integer,
				    NULL) == KRN_OK;
		value->number = (double)value->integer;
		break;
	case KRN_ATTRIBUTE_DOUBLE:
		value->is_good =
		    krn_parse_double(text, &value->number, NULL) == KRN_OK;
		break;
	case KRN_ATTRIBUTE_BOOL:
		value->integer = text.len && text.s[0] == 't';
		break;
	case KRN_ATTRIBUTE_TIME:
		value->is_good = decide_time(text, &value->integer);
		break;
	}
}

int
decide_compare(const struct decide_value *value,
	       const struct krn_plan_constant *constant,
	       enum krn_attribute_type type)
{
	switch (type) {
	case KRN_ATTRIBUTE_TEXT:
		return krn_str_cmp(value->text, constant->text);
	case KRN_ATTRIBUTE_INT:
		if (!constant->is_integer)
			break;
		return (value->integer > constant->integer) -
		       (value->integer < constant->integer);
	case KRN_ATTRIBUTE_DOUBLE:
		break;
	case KRN_ATTRIBUTE_BOOL:
	case KRN_ATTRIBUTE_TIME:
		return (value->integer > constant->integer) -
		       (value->integer < constant->integer);
	}
	return (value->number > constant->number) -
	       (value->number < constant->number);
}

static bool
condition_any(const struct krn_plan_condition *condition,
	      const struct decide_value *value)
{
	for (size_t i = 0; i < condition->constants_nr; i++)
		if (decide_compare(value, &condition->constants[i],
				   condition->type) == 0)
			return true;
	return false;
}

/* contains, starts_with, regex: over the text, whatever the type. */
static bool
condition_text(const struct krn_plan_condition *condition, struct krn_str text,
	       bool *ret_is_good)
{
	if (condition->op == KRN_OP_REGEX)
		return plan_regex_matches(condition->pattern, text,
					  ret_is_good);
	const struct krn_str part = condition->constants->text;

	if (condition->op == KRN_OP_STARTS_WITH)
		return krn_str_has_prefix(text, part);
	return part.len == 0 ||
	       (text.len && memmem(text.s, text.len, part.s, part.len));
}

bool
decide_condition(const struct krn_plan_condition *condition,
		 const struct decide_value *value, bool *ret_is_good)
{
	const enum krn_plan_operator op = condition->op;

	*ret_is_good = true;
	if (op == KRN_OP_EXISTS || op == KRN_OP_NOT_EXISTS)
		return value->is_null == (op == KRN_OP_NOT_EXISTS);
	if (value->is_null)
		return false;
	if (op == KRN_OP_CONTAINS || op == KRN_OP_STARTS_WITH ||
	    op == KRN_OP_REGEX)
		return condition_text(condition, value->text, ret_is_good);
	if (condition->never || !value->is_good) {
		*ret_is_good = false;
		return false;
	}
	if (op == KRN_OP_IN || op == KRN_OP_NOT_IN)
		return condition_any(condition, value) == (op == KRN_OP_IN);

	const int order =
	    decide_compare(value, condition->constants, condition->type);

	return op == KRN_OP_EQ    ? order == 0
	       : op == KRN_OP_NEQ ? order != 0
	       : op == KRN_OP_GT  ? order > 0
	       : op == KRN_OP_GTE ? order >= 0
	       : op == KRN_OP_LT  ? order < 0
				  : order <= 0;
}

/* Does the condition hold? One that cannot be told fails the customer. */
static bool
filter_condition_holds(struct krn_decide *d,
		       const struct krn_plan_filter *filter,
		       const struct krn_plan_condition *condition)
{
	static const struct decide_value missing = {.is_null = true};
	const int column = condition->column;
	bool is_good;
	const bool holds = decide_condition(
	    condition, column < 0 ? &missing : &d->values[column], &is_good);

	if (!is_good && condition->op == KRN_OP_REGEX)
		decide_fail(d,
			    "node \"%.*s\": attribute \"%.*s\" is too long "
			    "for a regular expression",
			    KRN_STR_ARG(filter->id),
			    KRN_STR_ARG(d->plan->columns[column].name));
	else
		d->out->conversion_failures += !is_good;
	return holds;
}

void
decide_filter_bits(struct krn_decide *d)
{
	for (size_t i = 0; i < d->plan->filters_nr; i++) {
		const struct krn_plan_filter *filter = &d->plan->filters[i];

		d->filter_bits[i] = 0;
		for (size_t k = 0; k < filter->conditions_nr; k++)
			if (filter->conditions[k].source ==
				KRN_SOURCE_CUSTOMER &&
			    filter_condition_holds(d, filter,
						   &filter->conditions[k]))
				d->filter_bits[i] |= UINT64_C(1) << k;
	}
}

static bool
filter_passes(const struct krn_plan_test *test, uint64_t bits)
{
	const bool holds = test->mask == 0 ||
			   (test->is_any ? (bits & test->mask) != 0
					 : (bits & test->mask) == test->mask);

	return holds != test->is_negated;
}

int
decide_filter_hit(const struct krn_plan *plan, const struct krn_plan_pair *pair,
		  const uint64_t *bits)
{
	for (size_t i = 0; i < plan->filters_nr; i++) {
		const struct krn_plan_filter *filter = &plan->filters[i];
		const uint64_t all = bits[i] | pair->filter_bits[i];

		if (!filter_passes(filter_passes(&filter->when, all)
				       ? &filter->keep
				       : &filter->otherwise,
				   all))
			return (int)i;
	}
	return -1;
}
