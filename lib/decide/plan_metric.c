/*
 * What rules and policies count: outcomes, metrics, spans of days, ids that
 * are counted apart.
 */

#include "base/base.h"

#include "base/clock.h"
#include "decide/plan_private.h"

/* The longest span. Source: catalog/resource_config.c, DAYS_MAX */
#define DAYS_MAX 3650

/*
 * The outcomes of a tenant that has not said otherwise.
 * Source: spec, outcome types; both lists of system types.
 */
static const struct {
	const char *key, *class;
} metric_outcomes[] = {
    {"click", "positive"},          {"accept", "positive"},
    {"convert", "positive"},        {"conversion", "positive"},
    {"requested_info", "positive"}, {"share", "positive"},
    {"save", "positive"},           {"dismiss", "negative"},
    {"not_interested", "negative"}, {"opt_out", "negative"},
    {"complaint", "negative"},      {"not_presented", "neutral"},
    {"expired", "neutral"},         {"deferred", "neutral"},
    {"defer", "neutral"},
};

enum krn_err
plan_days(struct plan_build *build, struct krn_str owner,
	  const struct krn_value *config, const char *name, bool from_0,
	  int64_t *ret_us)
{
	double days;

	if (!krn_value_number(krn_value_find(config, name), &days) ||
	    !(days >= 0 && days <= DAYS_MAX) || (days == 0 && !from_0))
		return plan_refuse(
		    build, "\"%.*s\": %s must be %s %d", KRN_STR_ARG(owner),
		    name, from_0 ? "a number from 0 to" : "above 0 and at most",
		    DAYS_MAX);
	*ret_us = (int64_t)(days * (double)KRN_US_PER_DAY);
	return KRN_OK;
}

int
krn_plan_apart_find(const struct krn_str *list, size_t nr, struct krn_str id)
{
	for (size_t i = 0; i < nr; i++)
		if (krn_str_eq(list[i], id))
			return (int)i;
	return -1;
}

enum krn_err
plan_apart(struct plan_build *build, struct krn_str **list, size_t *nr,
	   struct krn_str id, int *ret)
{
	*ret = krn_plan_apart_find(*list, *nr, id);
	if (*ret >= 0)
		return KRN_OK;
	if (*nr == KRN_PLAN_APART_MAX)
		return plan_refuse(build,
				   "the policies name more than %d campaigns "
				   "or creatives",
				   KRN_PLAN_APART_MAX);
	if (!*list)
		*list = krn_arena_calloc(build->arena, KRN_PLAN_APART_MAX,
					 sizeof(**list));
	if (!*list)
		return krn_arena_fail(build->arena, build->err);
	*ret = (int)*nr;
	(*list)[(*nr)++] = id;
	return KRN_OK;
}

enum krn_err
plan_outcome_bit(struct plan_build *build, struct krn_str key, uint64_t *ret)
{
	struct krn_plan *plan = build->plan;
	int bit = krn_plan_apart_find(plan->outcomes, plan->outcomes_nr, key);

	if (bit < 0) {
		if (plan->outcomes_nr == KRN_PLAN_OUTCOMES_MAX)
			return plan_refuse(build,
					   "the rules and policies look at "
					   "more than %d outcomes",
					   KRN_PLAN_OUTCOMES_MAX);
		bit = (int)plan->outcomes_nr;
		plan->outcomes[plan->outcomes_nr++] = key;
	}
	*ret |= UINT64_C(1) << bit;
	return KRN_OK;
}

/* The tenant's row of an outcome; NULL: it has none. */
static const struct krn_value *
metric_outcome_find(const struct plan_build *build, struct krn_str key)
{
	const struct krn_value *list =
	    krn_value_find(build->config, "outcomes");

	for (size_t i = 0;
	     list && list->type == KRN_VALUE_ARRAY && i < list->array.nr; i++)
		if (krn_str_eq(plan_text(&list->array.items[i], "key"), key))
			return &list->array.items[i];
	return NULL;
}

/* All outcomes of a class, but impressions, which are contacts. */
static enum krn_err
metric_class(struct plan_build *build, struct krn_str class, uint64_t *ret)
{
	const struct krn_value *list =
	    krn_value_find(build->config, "outcomes");
	enum krn_err e;

	for (size_t i = 0;
	     list && list->type == KRN_VALUE_ARRAY && i < list->array.nr; i++) {
		const struct krn_value *from = &list->array.items[i];

		if (krn_str_eq(plan_text(from, "classification"), class) &&
		    !krn_str_eq_c(plan_text(from, "category"), "impression") &&
		    (e = plan_outcome_bit(build, plan_text(from, "key"), ret)))
			return e;
	}
	for (size_t i = 0; i < KRN_NR(metric_outcomes); i++) {
		const struct krn_str key = krn_str_c(metric_outcomes[i].key);

		if (krn_str_eq_c(class, metric_outcomes[i].class) &&
		    !metric_outcome_find(build, key) &&
		    (e = plan_outcome_bit(build, key, ret)))
			return e;
	}
	return KRN_OK;
}

struct krn_str
plan_outcome_class(const struct plan_build *build, struct krn_str key)
{
	const struct krn_value *own = metric_outcome_find(build, key);

	if (own)
		return krn_str_eq_c(plan_text(own, "category"), "impression")
			   ? KRN_STR("")
			   : plan_text(own, "classification");
	for (size_t i = 0; i < KRN_NR(metric_outcomes); i++)
		if (krn_str_eq_c(key, metric_outcomes[i].key))
			return krn_str_c(metric_outcomes[i].class);
	return KRN_STR("");
}

static bool
metric_is_outcome(const struct plan_build *build, struct krn_str key)
{
	for (size_t i = 0; i < KRN_NR(metric_outcomes); i++)
		if (krn_str_eq_c(key, metric_outcomes[i].key))
			return true;
	return metric_outcome_find(build, key) != NULL;
}

/*
 * impressions, positive, negative, neutral, converts; or an outcome's key, in
 * the plural if one likes.
 * Source: spec, interaction summary, for the first five.
 */
static enum krn_err
metric_name(struct plan_build *build, struct krn_str owner, struct krn_str name,
	    struct krn_plan_metric *ret)
{
	struct krn_str key = name;
	enum krn_err e;

	if (krn_str_eq_c(name, "impressions") ||
	    krn_str_eq_c(name, "impression")) {
		ret->contacts = true;
		build->plan->needs_contacts = true;
		return KRN_OK;
	}
	if (krn_str_eq_c(name, "positive") || krn_str_eq_c(name, "negative") ||
	    krn_str_eq_c(name, "neutral"))
		return metric_class(build, name, &ret->outcomes);
	if (krn_str_eq_c(name, "converts") ||
	    krn_str_eq_c(name, "conversions")) {
		e = plan_outcome_bit(build, KRN_STR("convert"), &ret->outcomes);
		return e ? e
			 : plan_outcome_bit(build, KRN_STR("conversion"),
					    &ret->outcomes);
	}
	/* "clicks", "dismisses" */
	for (size_t cut = 0; cut < 3 && cut < name.len; cut++) {
		key.len = name.len - cut;
		if ((!cut || krn_str_has_suffix(name, KRN_STR("s"))) &&
		    metric_is_outcome(build, key))
			return plan_outcome_bit(build, key, &ret->outcomes);
	}
	if (build->is_check && name.len)
		return KRN_OK;
	return plan_refuse(build, "\"%.*s\": metric \"%.*s\" is not supported",
			   KRN_STR_ARG(owner), KRN_STR_ARG(name));
}

enum krn_err
plan_read_metric(struct plan_build *build, struct krn_str owner,
		 const struct krn_value *config, struct krn_plan_metric *ret)
{
	const struct krn_value *days = krn_value_find(config, "windowDays");
	const struct krn_str operator_is = plan_text(config, "operator");
	int64_t since_us = INT64_MIN, span_us;
	enum krn_err e;

	*ret = (struct krn_plan_metric){.contacts = false};
	if (!plan_operator(operator_is, &ret->op) || ret->op > KRN_OP_LTE)
		return plan_refuse(build,
				   "\"%.*s\": operator \"%.*s\" does not "
				   "compare numbers",
				   KRN_STR_ARG(owner),
				   KRN_STR_ARG(operator_is));
	if (!krn_value_number(krn_value_find(config, "value"), &ret->value))
		return plan_refuse(build, "\"%.*s\": value must be a number",
				   KRN_STR_ARG(owner));
	if (days && days->type != KRN_VALUE_NULL) {
		if ((e = plan_days(build, owner, config, "windowDays", false,
				   &span_us)))
			return e;
		since_us = build->plan->times.now_us - span_us;
	}
	if ((e = metric_name(build, owner, plan_text(config, "metric"), ret)))
		return e;
	return plan_window(build, since_us, &ret->window);
}
