/*
 * Contact policies, their windows, and the pairs with the masks of what looks
 * at them.
 */

#include "base/base.h"

#include "base/clock.h"
#include "decide/plan_private.h"

/* A year: whoever wants more leaves it out. */
#define LOOKBACK_HOURS_MAX 8760

static const struct {
	const char *name;
	enum krn_plan_scope scope;
} policy_scopes[] = {
    {"global", KRN_SCOPE_GLOBAL},
    {"offer", KRN_SCOPE_OFFER},
    {"channel", KRN_SCOPE_CHANNEL},
    {"category", KRN_SCOPE_CATEGORY},
};

static enum krn_err
policy_scope(struct plan_build *build, const struct krn_value *from,
	     enum krn_plan_scope *ret)
{
	const struct krn_str scope = plan_text(from, "scope");

	for (size_t i = 0; i < KRN_NR(policy_scopes); i++) {
		if (krn_str_eq_c(scope, policy_scopes[i].name)) {
			*ret = policy_scopes[i].scope;
			return KRN_OK;
		}
	}
	return plan_refuse(build, "\"%.*s\": scope %.*s is not supported yet",
			   KRN_STR_ARG(plan_text(from, "name")),
			   KRN_STR_ARG(scope));
}

/* The index of a window that begins then, added when new. */
static enum krn_err
policy_window(struct plan_build *build, int64_t since_us, int *ret)
{
	struct krn_plan *plan = build->plan;

	for (size_t i = 0; i < plan->windows_nr; i++) {
		if (plan->windows[i] == since_us) {
			*ret = (int)i;
			return KRN_OK;
		}
	}
	if (plan->windows_nr == KRN_PLAN_WINDOWS_MAX)
		return plan_refuse(build,
				   "the policies look at more than %d windows",
				   KRN_PLAN_WINDOWS_MAX);
	*ret = (int)plan->windows_nr;
	plan->windows[plan->windows_nr++] = since_us;
	return KRN_OK;
}

/* A positive integer member; false when absent. */
static enum krn_err
policy_int(struct plan_build *build, const struct krn_plan_policy *policy,
	   const struct krn_value *config, const char *name, bool *ret_there,
	   int64_t *ret)
{
	const struct krn_value *value = krn_value_find(config, name);

	*ret_there = value && value->type != KRN_VALUE_NULL;
	if (!*ret_there)
		return KRN_OK;
	if (value->type != KRN_VALUE_INT || value->integer < 0 ||
	    value->integer > 1000000000)
		return plan_refuse(build,
				   "policy \"%.*s\": %s must be a whole number",
				   KRN_STR_ARG(policy->name), name);
	*ret = value->integer;
	return KRN_OK;
}

/* Where maxTotal begins to count; without lookbackHours: ever. */
static enum krn_err
policy_lookback(struct plan_build *build, const struct krn_plan_policy *policy,
		const struct krn_value *config, int64_t *ret_since_us)
{
	const struct krn_value *value = krn_value_find(config, "lookbackHours");
	double hours;

	*ret_since_us = INT64_MIN;
	if (!value || value->type == KRN_VALUE_NULL)
		return KRN_OK;
	if (!krn_value_number(value, &hours) ||
	    !(hours > 0 && hours <= LOOKBACK_HOURS_MAX))
		return plan_refuse(build,
				   "policy \"%.*s\": lookbackHours must be "
				   "above 0 and at most %d",
				   KRN_STR_ARG(policy->name),
				   LOOKBACK_HOURS_MAX);
	*ret_since_us = build->plan->times.now_us -
			(int64_t)(hours * 3600 * (double)KRN_US_PER_SECOND);
	return KRN_OK;
}

static enum krn_err
policy_frequency_cap(struct plan_build *build, const struct krn_value *config,
		     struct krn_plan_policy *policy)
{
	const struct krn_plan_times *times = &build->plan->times;
	int64_t since_us;
	bool there;
	enum krn_err e;

	if (krn_value_find(config, "withinCampaignId") ||
	    krn_value_find(config, "excludeCampaignIds"))
		return plan_refuse(build,
				   "policy \"%.*s\": campaign filters are not "
				   "supported yet",
				   KRN_STR_ARG(policy->name));
	if ((e = policy_lookback(build, policy, config, &since_us)))
		return e;
	const struct {
		const char *name;
		int64_t since_us;
	} caps[] = {
	    {"maxPerDay", times->day_us},
	    {"maxPerWeek", times->week_us},
	    {"maxPerMonth", times->month_us},
	    {"maxTotal", since_us},
	};

	for (size_t i = 0; i < KRN_NR(caps); i++) {
		struct krn_plan_cap *cap = &policy->caps[policy->caps_nr];

		if ((e = policy_int(build, policy, config, caps[i].name, &there,
				    &cap->max)))
			return e;
		if (!there)
			continue;
		if ((e = policy_window(build, caps[i].since_us, &cap->window)))
			return e;
		policy->caps_nr++;
	}
	if (policy->caps_nr == 0)
		return plan_refuse(build,
				   "policy \"%.*s\": a frequency_cap needs "
				   "maxPerDay, maxPerWeek, maxPerMonth or "
				   "maxTotal",
				   KRN_STR_ARG(policy->name));
	return KRN_OK;
}

static enum krn_err
policy_cooldown(struct plan_build *build, const struct krn_value *config,
		struct krn_plan_policy *policy)
{
	const struct krn_value *bypassable =
	    krn_value_find(config, "bypassable");
	double hours;

	if (!krn_value_number(krn_value_find(config, "cooldownHours"),
			      &hours) ||
	    !(hours > 0 && hours <= 876000))
		return plan_refuse(build,
				   "policy \"%.*s\": cooldownHours must be "
				   "above 0",
				   KRN_STR_ARG(policy->name));
	policy->cooldown_us =
	    (int64_t)(hours * 3600 * (double)KRN_US_PER_SECOND);
	policy->spares_mandatory = !bypassable ||
				   bypassable->type != KRN_VALUE_BOOL ||
				   bypassable->boolean;
	return KRN_OK;
}

static enum krn_err
policy_read(struct plan_build *build, const struct krn_value *from,
	    struct krn_plan_policy *policy)
{
	const struct krn_value *config = krn_value_find(from, "config");
	const struct krn_str type = plan_text(from, "ruleType");
	enum krn_err e;

	policy->id = plan_text(from, "id");
	policy->name = plan_text(from, "name");
	policy->scope_id = plan_text(from, "scopeId");
	policy->scope_index = -1;
	if ((e = policy_scope(build, from, &policy->scope)))
		return e;
	if (policy->scope != KRN_SCOPE_GLOBAL && !policy->scope_id.len)
		return plan_refuse(build,
				   "policy \"%.*s\": a scope other than global "
				   "needs its object",
				   KRN_STR_ARG(policy->name));
	if (policy->scope == KRN_SCOPE_OFFER)
		policy->scope_index =
		    krn_plan_offer_find(build->plan, policy->scope_id);
	else if (policy->scope == KRN_SCOPE_CHANNEL)
		policy->scope_index =
		    krn_plan_channel_find(build->plan, policy->scope_id);
	if (krn_str_eq_c(type, "frequency_cap"))
		return policy_frequency_cap(build, config, policy);
	if (krn_str_eq_c(type, "cooldown"))
		return policy_cooldown(build, config, policy);
	return plan_refuse(build,
			   "policy \"%.*s\": type %.*s is not supported yet",
			   KRN_STR_ARG(policy->name), KRN_STR_ARG(type));
}

enum krn_err
plan_read_policies(struct plan_build *build)
{
	const struct krn_value *list =
	    krn_value_find(build->config, "policies");
	struct krn_plan *plan = build->plan;
	enum krn_err e;

	if (!list || list->type != KRN_VALUE_ARRAY ||
	    !plan_flow_has(build, "contact_policy"))
		return KRN_OK;
	if (list->array.nr > KRN_PLAN_RULES_MAX)
		return plan_refuse(build, "more than %d active policies",
				   KRN_PLAN_RULES_MAX);
	plan->policies = krn_arena_calloc(build->arena, list->array.nr,
					  sizeof(*plan->policies));
	if (!plan->policies)
		return krn_arena_fail(build->arena, build->err);
	for (size_t i = 0; i < list->array.nr; i++)
		if ((e = policy_read(build, &list->array.items[i],
				     &plan->policies[plan->policies_nr++])))
			return e;
	return KRN_OK;
}

/* Pairs */

static bool
pair_in_scope(const struct krn_plan *plan, const struct krn_plan_pair *pair,
	      enum krn_plan_scope scope, struct krn_str id)
{
	const struct krn_plan_offer *offer = &plan->offers[pair->offer];

	switch (scope) {
	case KRN_SCOPE_GLOBAL:
		return true;
	case KRN_SCOPE_OFFER:
		return krn_str_eq(offer->id, id);
	case KRN_SCOPE_CHANNEL:
		return krn_str_eq(plan->channels[pair->channel].id, id);
	case KRN_SCOPE_CATEGORY:
		return krn_str_eq(offer->category_id, id);
	}
	return false;
}

static void
pair_mask_set(uint64_t *mask, size_t bit)
{
	mask[bit / 64] |= UINT64_C(1) << bit % 64;
}

static enum krn_err
pair_masks(struct plan_build *build, struct krn_plan_pair *pair)
{
	const struct krn_value *rules = krn_value_find(build->config, "rules");
	const struct krn_plan *plan = build->plan;
	const bool mandatory = plan->offers[pair->offer].mandatory;
	enum krn_plan_scope scope;
	enum krn_err e;

	for (size_t i = 0; i < plan->rules_nr; i++) {
		const struct krn_value *from = &rules->array.items[i];

		if ((e = policy_scope(build, from, &scope)))
			return e;
		if (pair_in_scope(plan, pair, scope,
				  plan_text(from, "scopeId")))
			pair_mask_set(plan->rules[i].is_hard ? pair->hard
							     : pair->soft,
				      i);
	}
	for (size_t i = 0; i < plan->policies_nr; i++) {
		const struct krn_plan_policy *policy = &plan->policies[i];

		if (pair_in_scope(plan, pair, policy->scope,
				  policy->scope_id) &&
		    !(mandatory && policy->spares_mandatory))
			pair_mask_set(pair->policies, i);
	}
	return KRN_OK;
}

enum krn_err
plan_make_pairs(struct plan_build *build)
{
	struct krn_plan *plan = build->plan;
	const size_t most = plan->rules_nr > plan->policies_nr
				? plan->rules_nr
				: plan->policies_nr;
	size_t candidates = 0, nr;
	enum krn_err e;

	for (size_t i = 0; i < plan->offers_nr; i++)
		candidates += plan->offers[i].is_candidate;
	if (!krn_mul_size(candidates, plan->channels_nr, &nr))
		return plan_refuse(build, "too many offers");
	plan->mask_words = (most + 63) / 64;
	plan->pairs = krn_arena_calloc(build->arena, nr, sizeof(*plan->pairs));
	if (!plan->pairs)
		return krn_arena_fail(build->arena, build->err);
	/* the pairs of an offer lie together */
	for (uint32_t o = 0; o < plan->offers_nr; o++) {
		for (uint32_t c = 0; c < plan->channels_nr; c++) {
			struct krn_plan_pair *pair =
			    &plan->pairs[plan->pairs_nr];

			if (!plan->offers[o].is_candidate ||
			    !plan->channels[c].is_candidate)
				continue;
			pair->offer = o;
			pair->channel = c;
			pair->order = plan->offers[o].order *
					  (uint32_t)plan->channels_nr +
				      plan->channels[c].order;
			if ((e = pair_masks(build, pair)))
				return e;
			plan->pairs_nr++;
		}
	}
	return KRN_OK;
}
