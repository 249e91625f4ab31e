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
    {"global", KRN_SCOPE_GLOBAL},           {"offer", KRN_SCOPE_OFFER},
    {"channel", KRN_SCOPE_CHANNEL},         {"category", KRN_SCOPE_CATEGORY},
    {"subcategory", KRN_SCOPE_SUBCATEGORY}, {"creative", KRN_SCOPE_CREATIVE},
    {"placement", KRN_SCOPE_PLACEMENT},     {"segment", KRN_SCOPE_SEGMENT},
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

enum krn_err
plan_window(struct plan_build *build, int64_t since_us, int *ret)
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
				   "the rules and policies look at more than "
				   "%d windows",
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

/* Whose contacts a cap counts. */
static enum krn_err
policy_campaigns(struct plan_build *build, const struct krn_value *config,
		 struct krn_plan_policy *policy)
{
	const struct krn_str within = plan_text(config, "withinCampaignId");
	const struct krn_value *without =
	    krn_value_find(config, "excludeCampaignIds");
	struct krn_plan *plan = build->plan;
	enum krn_err e;

	if (within.len && (e = plan_apart(build, &plan->counted_campaigns,
					  &plan->counted_campaigns_nr, within,
					  &policy->within_campaign)))
		return e;
	if (!without || without->type != KRN_VALUE_ARRAY)
		return KRN_OK;
	int *list =
	    krn_arena_calloc(build->arena, without->array.nr, sizeof(*list));

	if (!list)
		return krn_arena_fail(build->arena, build->err);
	for (size_t i = 0; i < without->array.nr; i++) {
		const struct krn_value *id = &without->array.items[i];

		if (id->type != KRN_VALUE_STRING)
			return plan_refuse(build,
					   "policy \"%.*s\": "
					   "excludeCampaignIds must be ids",
					   KRN_STR_ARG(policy->name));
		if ((e = plan_apart(build, &plan->counted_campaigns,
				    &plan->counted_campaigns_nr, id->string,
				    &list[i])))
			return e;
	}
	policy->without_campaigns = list;
	policy->without_campaigns_nr = without->array.nr;
	return KRN_OK;
}

static enum krn_err
policy_cap(struct plan_build *build, const struct krn_value *config,
	   struct krn_plan_policy *policy)
{
	const struct krn_plan_times *times = &build->plan->times;
	int64_t since_us;
	bool there;
	enum krn_err e;

	build->plan->needs_contacts = true;
	if ((e = policy_campaigns(build, config, policy)) ||
	    (e = policy_lookback(build, policy, config, &since_us)))
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
		if ((e = plan_window(build, caps[i].since_us, &cap->window)))
			return e;
		policy->caps_nr++;
	}
	if (policy->caps_nr == 0)
		return plan_refuse(build,
				   "policy \"%.*s\": a cap needs "
				   "maxPerDay, maxPerWeek, maxPerMonth or "
				   "maxTotal",
				   KRN_STR_ARG(policy->name));
	return KRN_OK;
}

static enum krn_err
policy_cooldown(struct plan_build *build, const struct krn_value *config,
		struct krn_plan_policy *policy)
{
	double hours;

	build->plan->needs_contacts = true;
	if (!krn_value_number(krn_value_find(config, "cooldownHours"),
			      &hours) ||
	    !(hours > 0 && hours <= 876000))
		return plan_refuse(build,
				   "policy \"%.*s\": cooldownHours must be "
				   "above 0",
				   KRN_STR_ARG(policy->name));
	policy->span_us = (int64_t)(hours * 3600 * (double)KRN_US_PER_SECOND);
	return KRN_OK;
}

/* Mandatory offers obey what binds them, and what may not be bypassed. */
static const struct {
	const char *name;
	enum krn_plan_policy_type type;
	enum krn_err (*read)(struct plan_build *build,
			     const struct krn_value *config,
			     struct krn_plan_policy *policy);
	bool binds;
} policy_types[] = {
    {"frequency_cap", KRN_POLICY_CAP, policy_cap, true},
    {"cross_channel_cap", KRN_POLICY_CAP, policy_cap, true},
    {"customer_total_cap", KRN_POLICY_CAP, policy_cap, false},
    {"cooldown", KRN_POLICY_COOLDOWN, policy_cooldown, false},
    {"category_suppression", KRN_POLICY_SUPPRESSION, plan_policy_suppression,
     false},
    {"outcome_based", KRN_POLICY_OUTCOME, plan_policy_outcome, false},
    {"mutual_exclusion", KRN_POLICY_GROUP, plan_policy_group, false},
    {"metric_condition", KRN_POLICY_METRIC, plan_policy_metric, false},
    {"segment_exclusion", KRN_POLICY_SEGMENTS, plan_policy_segments, false},
    {"time_window", KRN_POLICY_ALWAYS, plan_policy_time_window, false},
    {"budget_exhausted", KRN_POLICY_ALWAYS, plan_policy_budget, false},
    {"allow_override", KRN_POLICY_OVERRIDE, plan_policy_override, false},
};

static enum krn_err
policy_read_scope(struct plan_build *build, const struct krn_value *from,
		  struct krn_plan_policy *policy)
{
	struct krn_plan *plan = build->plan;
	enum krn_err e;

	policy->scope_id = plan_text(from, "scopeId");
	policy->scope_index = -1;
	if ((e = policy_scope(build, from, &policy->scope)))
		return e;
	if (policy->scope == KRN_SCOPE_SEGMENT ||
	    policy->scope == KRN_SCOPE_PLACEMENT)
		return plan_refuse(build,
				   "policy \"%.*s\": scope %.*s is of rules",
				   KRN_STR_ARG(policy->name),
				   KRN_STR_ARG(plan_text(from, "scope")));
	if (policy->scope != KRN_SCOPE_GLOBAL && !policy->scope_id.len)
		return plan_refuse(build,
				   "policy \"%.*s\": a scope other than global "
				   "needs its object",
				   KRN_STR_ARG(policy->name));
	if (policy->scope == KRN_SCOPE_OFFER)
		policy->scope_index =
		    krn_plan_offer_find(plan, policy->scope_id);
	else if (policy->scope == KRN_SCOPE_CHANNEL)
		policy->scope_index =
		    krn_plan_channel_find(plan, policy->scope_id);
	else if (policy->scope == KRN_SCOPE_CREATIVE)
		return plan_apart(build, &plan->counted_creatives,
				  &plan->counted_creatives_nr, policy->scope_id,
				  &policy->scope_index);
	return KRN_OK;
}

enum krn_err
plan_read_policy(struct plan_build *build, const struct krn_value *from,
		 struct krn_plan_policy *policy)
{
	const struct krn_value *config = krn_value_find(from, "config");
	const struct krn_value *bypassable =
	    krn_value_find(config, "bypassable");
	const bool is_firm = bypassable && bypassable->type == KRN_VALUE_BOOL &&
			     !bypassable->boolean;
	const struct krn_str type = plan_text(from, "ruleType");
	enum krn_err e;

	policy->id = plan_text(from, "id");
	policy->name = plan_text(from, "name");
	policy->within_campaign = -1;
	if ((e = policy_read_scope(build, from, policy)))
		return e;
	policy->counts_all = krn_str_eq_c(type, "customer_total_cap") ||
			     (krn_str_eq_c(type, "cross_channel_cap") &&
			      (policy->scope == KRN_SCOPE_CHANNEL ||
			       policy->scope == KRN_SCOPE_CREATIVE));
	for (size_t i = 0; i < KRN_NR(policy_types); i++) {
		if (!krn_str_eq_c(type, policy_types[i].name))
			continue;
		policy->type = policy_types[i].type;
		policy->spares_mandatory = !policy_types[i].binds && !is_firm;
		return policy_types[i].read(build, config, policy);
	}
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
	plan->pair_policies = krn_arena_calloc(build->arena, list->array.nr,
					       sizeof(*plan->pair_policies));
	if (!plan->policies || !plan->pair_policies)
		return krn_arena_fail(build->arena, build->err);
	for (size_t i = 0; i < list->array.nr; i++)
		if ((e = plan_read_policy(
			 build, &list->array.items[i],
			 &plan->policies[plan->policies_nr++])))
			return e;
	plan->own_campaign = krn_plan_apart_find(
	    plan->counted_campaigns, plan->counted_campaigns_nr,
	    plan_text(krn_value_find(build->config, "campaign"), "id"));
	return KRN_OK;
}

/* Pairs */

/* The creative of a pair, and its placement; "": none. */
static struct krn_str
pair_creative(const struct krn_plan *plan, const struct krn_plan_pair *pair)
{
	return pair->creative < 0 ? KRN_STR("")
				  : plan->creatives[pair->creative].id;
}

static struct krn_str
pair_placement(const struct krn_plan *plan, const struct krn_plan_pair *pair)
{
	return pair->creative < 0
		   ? KRN_STR("")
		   : plan->creatives[pair->creative].placement_id;
}

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
	case KRN_SCOPE_SUBCATEGORY:
		return krn_str_eq(offer->sub_category_id, id);
	case KRN_SCOPE_CREATIVE:
		return id.len && krn_str_eq(pair_creative(plan, pair), id);
	case KRN_SCOPE_PLACEMENT:
		return id.len && krn_str_eq(pair_placement(plan, pair), id);
	case KRN_SCOPE_SEGMENT:
		return true; /* of some customers */
	}
	return false;
}

static void
pair_mask_set(uint64_t *mask, size_t bit)
{
	mask[bit / 64] |= UINT64_C(1) << bit % 64;
}

/* Which policies look at the pair, and which count it once it is given. */
static void
pair_policies(const struct krn_plan *plan, struct krn_plan_pair *pair)
{
	const struct krn_plan_contact contact = {
	    (int)pair->offer, (int)pair->channel,
	    krn_plan_apart_find(plan->counted_creatives,
				plan->counted_creatives_nr,
				pair_creative(plan, pair)),
	    plan->own_campaign};
	bool is_lifted = false;

	for (size_t i = 0; i < plan->policies_nr; i++) {
		const struct krn_plan_policy *policy = &plan->policies[i];

		const bool counts =
		    krn_plan_policy_counts(plan, policy, &contact);

		if (counts)
			pair_mask_set(pair->counted, i);
		if (!pair_in_scope(plan, pair, policy->scope, policy->scope_id))
			continue;
		is_lifted |= policy->type == KRN_POLICY_OVERRIDE;
		/* a cap of other campaigns is none of this run's business */
		if (plan_policy_looks(plan, policy, pair) &&
		    (counts || policy->type != KRN_POLICY_CAP))
			pair_mask_set(pair->policies, i);
	}
	if (is_lifted)
		memset(pair->policies, 0, sizeof(pair->policies));
}

static enum krn_err
pair_masks(struct plan_build *build, struct krn_plan_pair *pair)
{
	const struct krn_value *rules = krn_value_find(build->config, "rules");
	const struct krn_plan *plan = build->plan;
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
	pair_policies(plan, pair);
	return KRN_OK;
}

/* With a group there is one for each placement of the channel. */
static void
pair_make(struct krn_plan *plan, uint32_t offer, uint32_t channel,
	  uint32_t slot)
{
	struct krn_plan_pair *pair = &plan->pairs[plan->pairs_nr];
	const struct krn_plan_placement *placement =
	    plan->placements_nr ? &plan->placements[slot] : NULL;
	const uint32_t slots = placement ? (uint32_t)plan->placements_nr : 1;

	if (!plan->offers[offer].is_candidate ||
	    !plan->channels[channel].is_candidate ||
	    (placement && placement->channel >= 0 &&
	     placement->channel != (int)channel))
		return;
	pair->offer = offer;
	pair->channel = channel;
	pair->placement = placement ? (int)slot : -1;
	pair->order = (plan->offers[offer].order * (uint32_t)plan->channels_nr +
		       plan->channels[channel].order) *
			  slots +
		      slot;
	plan->pairs_nr++;
}

enum krn_err
plan_make_pairs(struct plan_build *build)
{
	struct krn_plan *plan = build->plan;
	const size_t most = plan->rules_nr > plan->policies_nr
				? plan->rules_nr
				: plan->policies_nr;
	const uint32_t slots =
	    plan->placements_nr ? (uint32_t)plan->placements_nr : 1;
	size_t candidates = 0, nr;

	for (size_t i = 0; i < plan->offers_nr; i++)
		candidates += plan->offers[i].is_candidate;
	if (!krn_mul_size(candidates, plan->channels_nr, &nr) ||
	    !krn_mul_size(nr, slots, &nr))
		return plan_refuse(build, "too many offers");
	plan->mask_words = (most + 63) / 64;
	plan->pairs = krn_arena_calloc(build->arena, nr, sizeof(*plan->pairs));
	if (!plan->pairs)
		return krn_arena_fail(build->arena, build->err);
	/* the pairs of an offer lie together */
	for (uint32_t o = 0; o < plan->offers_nr; o++)
		for (uint32_t c = 0; c < plan->channels_nr; c++)
			for (uint32_t s = 0; s < slots; s++)
				pair_make(plan, o, c, s);
	return KRN_OK;
}

enum krn_err
plan_match_pairs(struct plan_build *build)
{
	struct krn_plan *plan = build->plan;
	enum krn_err e;

	for (size_t i = 0; i < plan->pairs_nr; i++)
		if ((e = pair_masks(build, &plan->pairs[i])))
			return e;
	return KRN_OK;
}
