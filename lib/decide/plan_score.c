/*
 * How pairs are scored and ranked: nodes score and rank.
 */

#include "base/base.h"

#include "decide/plan_private.h"

/* Their sum must stay a number; a sensible one is at most 1. */
#define WEIGHT_MAX 1000000

/* The four weights under `names`; divided by their sum. */
static enum krn_err
score_weights(struct plan_build *build, const struct krn_value *from,
	      const char *const names[4], struct krn_plan_weights *ret)
{
	double *weights = ret->of, sum = 0;

	for (size_t i = 0; i < 4; i++) {
		const struct krn_value *weight = krn_value_find(from, names[i]);

		weights[i] = 0;
		if (weight && (!krn_value_number(weight, &weights[i]) ||
			       !(weights[i] >= 0 && weights[i] <= WEIGHT_MAX)))
			return plan_refuse(build,
					   "score: %s must be a number from 0 "
					   "to %d",
					   names[i], WEIGHT_MAX);
		sum += weights[i];
	}
	if (!(sum > 0))
		return plan_refuse(build,
				   "score: the weights of the formula are 0");
	for (size_t i = 0; i < 4; i++)
		weights[i] /= sum;
	return KRN_OK;
}

const struct krn_value *
plan_profile_weights(const struct plan_build *build, struct krn_str id)
{
	const struct krn_value *profiles = plan_list(build->config, "profiles");

	for (size_t i = 0; profiles && i < profiles->array.nr; i++)
		if (krn_str_eq(plan_text(&profiles->array.items[i], "id"), id))
			return krn_value_find(&profiles->array.items[i],
					      "weights");
	return NULL;
}

static enum krn_err
score_profile(struct plan_build *build, struct krn_str id,
	      struct krn_plan_weights *ret)
{
	static const char *const names[] = {"propensity", "relevance", "impact",
					    "emphasis"};
	const struct krn_value *weights = plan_profile_weights(build, id);

	if (weights)
		return score_weights(build, weights, names, ret);
	if (build->is_check && id.len)
		return KRN_OK;
	return plan_refuse(build, "score: the ranking profile is not there");
}

/* The weights of the flow, and after them those of its overrides. */
static enum krn_err
score_formula(struct plan_build *build, const struct krn_value *config)
{
	static const char *const own[] = {"propensityWeight", "relevanceWeight",
					  "impactWeight", "emphasisWeight"};
	static const char *const scopes[] = {"category", "productType",
					     "channel"};
	const struct krn_str id = plan_text(config, "strategyProfileId");
	const struct krn_value *list = plan_list(config, "strategyOverrides");
	struct krn_plan *plan = build->plan;
	enum krn_err e;

	plan->method = KRN_METHOD_FORMULA;
	plan->weights_nr = 1 + (list ? list->array.nr : 0);
	plan->weights = krn_arena_calloc(build->arena, plan->weights_nr,
					 sizeof(*plan->weights));
	if (!plan->weights)
		return krn_arena_fail(build->arena, build->err);
	e = id.len ? score_profile(build, id, &plan->weights[0])
		   : score_weights(build, krn_value_find(config, "formula"),
				   own, &plan->weights[0]);
	for (size_t i = 0; !e && list && i < list->array.nr; i++) {
		const struct krn_value *from = &list->array.items[i];
		const struct krn_str scope = plan_text(from, "scope");
		size_t k = 0;

		while (k < KRN_NR(scopes) && !krn_str_eq_c(scope, scopes[k]))
			k++;
		if (k == KRN_NR(scopes))
			return plan_refuse(build,
					   "score: an override's scope must be "
					   "category, productType or channel");
		if (!plan_text(from, "value").len)
			return plan_refuse(build,
					   "score: an override needs a value");
		e = score_profile(build, plan_text(from, "strategyProfileId"),
				  &plan->weights[1 + i]);
	}
	build->overrides = list;
	return e;
}

static enum krn_err
score_method(struct plan_build *build, const struct krn_value *config)
{
	const struct krn_str method = plan_text(config, "method");

	if (krn_str_eq_c(method, "formula"))
		return score_formula(build, config);
	if (plan_list(config, "strategyOverrides"))
		return plan_refuse(build, "score: strategyOverrides need the "
					  "method formula");
	if (method.len == 0 || krn_str_eq_c(method, "priority_weighted"))
		return KRN_OK;
	if (!krn_str_eq_c(method, "propensity"))
		return plan_refuse(build,
				   "score: method \"%.*s\" is not supported",
				   KRN_STR_ARG(method));
	build->plan->method = KRN_METHOD_PROPENSITY;
	return KRN_OK;
}

enum krn_err
plan_read_score(struct plan_build *build, const struct krn_value *node)
{
	const struct krn_value *config = krn_value_find(node, "config");
	enum krn_err e;

	if ((e = score_method(build, config)))
		return e;
	return plan_read_arms(build, config);
}

/* Which weights the pairs have */

static bool
score_override_fits(const struct krn_plan *plan,
		    const struct krn_plan_pair *pair,
		    const struct krn_value *override)
{
	const struct krn_plan_offer *offer = &plan->offers[pair->offer];
	const struct krn_plan_channel *channel = &plan->channels[pair->channel];
	const struct krn_str scope = plan_text(override, "scope");
	const struct krn_str value = plan_text(override, "value");

	if (krn_str_eq_c(scope, "category"))
		return krn_str_eq(offer->category_id, value) ||
		       krn_str_eq(offer->category_name, value);
	if (krn_str_eq_c(scope, "channel"))
		return krn_str_eq(channel->id, value) ||
		       krn_str_eq(channel->name, value);
	return krn_str_eq(plan_text(offer->row, "productType"), value);
}

static int
score_category_order(const void *a, const void *b)
{
	const struct krn_plan_offer *x = *(struct krn_plan_offer *const *)a;
	const struct krn_plan_offer *y = *(struct krn_plan_offer *const *)b;
	const int names = krn_str_cmp(x->category_name, y->category_name);

	return names ? names : krn_str_cmp(x->category_id, y->category_id);
}

/* Number the categories of all offers in the order of their turns. */
static enum krn_err
score_categories(struct plan_build *build)
{
	struct krn_plan *plan = build->plan;
	struct krn_plan_offer **list =
	    krn_arena_calloc(build->arena, plan->offers_nr, sizeof(*list));

	if (!list)
		return krn_arena_fail(build->arena, build->err);
	for (size_t i = 0; i < plan->offers_nr; i++)
		list[i] = &plan->offers[i];
	if (plan->offers_nr)
		qsort(list, plan->offers_nr, sizeof(struct krn_plan_offer *),
		      score_category_order);
	for (size_t i = 0; i < plan->offers_nr; i++) {
		if (i == 0 || score_category_order(&list[i - 1], &list[i]) != 0)
			plan->categories_nr++;
		list[i]->category = (uint32_t)(plan->categories_nr - 1);
	}
	return KRN_OK;
}

enum krn_err
plan_match_weights(struct plan_build *build)
{
	struct krn_plan *plan = build->plan;
	const struct krn_value *list = build->overrides;

	for (size_t i = 0; list && i < plan->pairs_nr; i++) {
		struct krn_plan_pair *pair = &plan->pairs[i];

		for (size_t k = 0; k < list->array.nr && !pair->weights; k++)
			if (score_override_fits(plan, pair,
						&list->array.items[k]))
				pair->weights = (uint32_t)(1 + k);
	}
	return plan->turns ? score_categories(build) : KRN_OK;
}

enum krn_err
plan_read_rank(struct plan_build *build, const struct krn_value *node)
{
	const struct krn_value *config = krn_value_find(node, "config");
	const struct krn_str method = plan_text(config, "method");
	const struct krn_value *max = krn_value_find(config, "maxCandidates");

	if (max) {
		if (max->type != KRN_VALUE_INT || max->integer < 1 ||
		    max->integer > KRN_PLAN_CANDIDATES_MAX)
			return plan_refuse(
			    build, "rank: maxCandidates must be 1 to %d",
			    KRN_PLAN_CANDIDATES_MAX);
		build->plan->max_candidates = (size_t)max->integer;
	}
	if (method.len == 0 || krn_str_eq_c(method, "score"))
		return KRN_OK;
	if (krn_str_eq_c(method, "priority"))
		build->plan->by_priority = true;
	else if (krn_str_eq_c(method, "diversity"))
		build->plan->turns = KRN_TURNS_DIVERSITY;
	else if (krn_str_eq_c(method, "round_robin"))
		build->plan->turns = KRN_TURNS_ROUND_ROBIN;
	else
		return plan_refuse(build,
				   "rank: method \"%.*s\" is not supported",
				   KRN_STR_ARG(method));
	return KRN_OK;
}
