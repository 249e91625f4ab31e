/*
 * What an offer says of itself: its budget, its stock, how often a customer
 * may have it.
 */

#include "base/base.h"

#include "decide/plan_private.h"

/* As policies have it: no sensible cap is larger. */
#define CAP_MAX 1000000000

/* A member of a group of the offer's; *ret_there is false when it is null. */
static enum krn_err
offer_number(struct plan_build *build, const struct krn_value *offer,
	     const char *group, const char *name, bool *ret_there, double *ret)
{
	const struct krn_value *value =
	    krn_value_find(krn_value_find(offer, group), name);

	*ret_there = value && value->type != KRN_VALUE_NULL;
	if (!*ret_there || krn_value_number(value, ret))
		return KRN_OK;
	return plan_refuse(build, "offer \"%.*s\": %s.%s must be a number",
			   KRN_STR_ARG(plan_text(offer, "name")), group, name);
}

/* Is there a cap of the budget under `name`, and is it reached? */
static enum krn_err
offer_reaches(struct plan_build *build, const struct krn_value *offer,
	      const char *name, double used, bool *ret_reached)
{
	double cap = 0;
	bool there;
	enum krn_err e;

	if ((e = offer_number(build, offer, "budget", name, &there, &cap)))
		return e;
	*ret_reached |= there && used >= cap;
	return KRN_OK;
}

static double
offer_count(const struct krn_value *object, const char *name)
{
	double number;

	return krn_value_number(krn_value_find(object, name), &number) ? number
								       : 0;
}

/* What the budget has left. Source: spec, offer, hard constraints. */
static enum krn_err
offer_budget(struct plan_build *build, const struct krn_value *from,
	     struct krn_plan_offer *offer)
{
	const struct krn_value *sent = krn_value_find_str(
	    krn_value_find(build->config, "impressions"), offer->id);
	const struct krn_str today =
	    plan_text(krn_value_find(build->config, "clock"), "date");
	const struct krn_value *budget = krn_value_find(from, "budget");
	/* what was spent on an earlier day does not count */
	struct krn_str reset = plan_text(budget, "lastDailyResetDate");
	const bool is_old = reset.len >= 10 && today.len == 10 &&
			    memcmp(reset.s, today.s, 10) < 0;
	const double spent =
	    is_old ? 0 : offer_count(budget, "currentDailySpentCents");
	enum krn_err e;

	if ((e = offer_reaches(build, from, "maxPerDay",
			       offer_count(sent, "today"),
			       &offer->is_sent_out)) ||
	    (e = offer_reaches(build, from, "maxImpressions",
			       offer_count(sent, "ever"),
			       &offer->is_sent_out)) ||
	    (e = offer_reaches(build, from, "dailyCapCents", spent,
			       &offer->is_spent)))
		return e;
	return offer_reaches(build, from, "lifetimeCapCents",
			     offer_count(budget, "currentLifetimeSpentCents"),
			     &offer->is_spent);
}

/* {perCustomer: {daily, weekly, monthly}} */
static enum krn_err
offer_caps(struct plan_build *build, const struct krn_value *from,
	   struct krn_plan_offer *offer)
{
	const struct krn_plan_times *times = &build->plan->times;
	const struct {
		const char *name;
		int64_t since_us;
	} caps[] = {
	    {"daily", times->day_us},
	    {"weekly", times->week_us},
	    {"monthly", times->month_us},
	};
	const struct krn_value *of = krn_value_find(
	    krn_value_find(from, "frequencyCaps"), "perCustomer");
	enum krn_err e;

	for (size_t i = 0; i < KRN_NR(caps); i++) {
		const struct krn_value *max = krn_value_find(of, caps[i].name);
		struct krn_plan_cap *cap = &offer->caps[offer->caps_nr];

		if (!max || max->type == KRN_VALUE_NULL)
			continue;
		if (max->type != KRN_VALUE_INT || max->integer < 0 ||
		    max->integer > CAP_MAX)
			return plan_refuse(build,
					   "offer \"%.*s\": frequencyCaps."
					   "perCustomer.%s must be a whole "
					   "number",
					   KRN_STR_ARG(offer->name),
					   caps[i].name);
		cap->max = max->integer;
		if ((e = plan_window(build, caps[i].since_us, &cap->window)))
			return e;
		offer->caps_nr++;
		build->plan->needs_contacts = true;
	}
	return KRN_OK;
}

enum krn_err
plan_read_constraints(struct plan_build *build, struct krn_plan_offer *offer)
{
	double stock = 0;
	bool there;
	enum krn_err e;

	if ((e = offer_budget(build, offer->row, offer)) ||
	    (e = offer_number(build, offer->row, "inventory", "remainingStock",
			      &there, &stock)))
		return e;
	offer->is_out_of_stock = there && stock <= 0;
	return offer_caps(build, offer->row, offer);
}
