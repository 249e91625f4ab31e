/*
 * Nodes group and optimize: the places that a customer's offers are put in,
 * and what a score is made of besides itself.
 */

#include "base/base.h"

#include <math.h>

#include "decide/plan_private.h"

#define GROUP_ITEMS_MAX 20
/* As the weights of a formula. */
#define OBJECTIVE_MAX 1000000

/* {placementId, channelId, maxItems} */
static enum krn_err
group_placement(struct plan_build *build, struct krn_str node,
		const struct krn_value *from, struct krn_plan_placement *ret)
{
	const struct krn_value *max = krn_value_find(from, "maxItems");
	const struct krn_str channel = plan_text(from, "channelId");
	struct krn_plan *plan = build->plan;

	ret->id = plan_text(from, "placementId");
	ret->max = 1;
	ret->channel = -1;
	if (!ret->id.len)
		return plan_refuse(build,
				   "node \"%.*s\": a placement needs a "
				   "placementId",
				   KRN_STR_ARG(node));
	for (const struct krn_plan_placement *it = plan->placements; it < ret;
	     it++)
		if (krn_str_eq(it->id, ret->id))
			return plan_refuse(build,
					   "node \"%.*s\": the placement "
					   "\"%.*s\" is there twice",
					   KRN_STR_ARG(node),
					   KRN_STR_ARG(ret->id));
	if (channel.len)
		ret->channel = krn_plan_channel_find(plan, channel);
	if (channel.len && ret->channel < 0 && !build->is_check)
		return plan_refuse(build, "node \"%.*s\": no channel \"%.*s\"",
				   KRN_STR_ARG(node), KRN_STR_ARG(channel));
	if (max && (max->type != KRN_VALUE_INT || max->integer < 1 ||
		    max->integer > GROUP_ITEMS_MAX))
		return plan_refuse(build,
				   "node \"%.*s\": maxItems must be 1 to %d",
				   KRN_STR_ARG(node), GROUP_ITEMS_MAX);
	if (max)
		ret->max = (uint32_t)max->integer;
	plan->places_nr += ret->max;
	return KRN_OK;
}

enum krn_err
plan_read_group(struct plan_build *build, const struct krn_value *node)
{
	const struct krn_value *config = krn_value_find(node, "config");
	const struct krn_value *list = plan_list(config, "placements");
	const struct krn_str how = plan_text(config, "allocation");
	struct krn_plan *plan = build->plan;
	enum krn_err e;

	plan->group_id = plan_text(node, "id");
	plan->is_optimal =
	    krn_str_eq_c(how, "optimal") || krn_str_eq_c(how, "hungarian");
	if (how.len && !plan->is_optimal && !krn_str_eq_c(how, "greedy"))
		return plan_refuse(build,
				   "node \"%.*s\": allocation must be greedy "
				   "or optimal",
				   KRN_STR_ARG(plan->group_id));
	if (!list || list->array.nr > KRN_PLAN_PLACEMENTS_MAX)
		return plan_refuse(build,
				   "node \"%.*s\": a group needs 1 to %d "
				   "placements",
				   KRN_STR_ARG(plan->group_id),
				   KRN_PLAN_PLACEMENTS_MAX);
	/* that of a flow called counts too: whether it is there is known last
	 */
	for (size_t i = 0; i < list->array.nr; i++) {
		if ((e = group_placement(build, plan->group_id,
					 &list->array.items[i],
					 &plan->placements[i])))
			return e;
		plan->placements_nr++;
	}
	if (plan->places_nr > KRN_PLAN_PLACES_MAX)
		return plan_refuse(build, "node \"%.*s\": more than %d places",
				   KRN_STR_ARG(plan->group_id),
				   KRN_PLAN_PLACES_MAX);
	if (!build->has_creatives && !build->is_check)
		return plan_refuse(build,
				   "node \"%.*s\": a group needs "
				   "match_creatives: they say which placement "
				   "they are for",
				   KRN_STR_ARG(plan->group_id));
	plan->needs_creative = true;
	return KRN_OK;
}

/* Objectives: their names in weights, and their member of an offer. */
static const struct {
	const char *name, *member;
} group_objectives[] = {
    [KRN_OBJECTIVE_SCORE] = {"score", NULL},
    [KRN_OBJECTIVE_PROPENSITY] = {"propensity", NULL},
    [KRN_OBJECTIVE_RELEVANCE] = {"relevance", NULL},
    [KRN_OBJECTIVE_IMPACT] = {"impact", NULL},
    [KRN_OBJECTIVE_EMPHASIS] = {"emphasis", NULL},
    [KRN_OBJECTIVE_REVENUE] = {"revenue", "revenueValue"},
    [KRN_OBJECTIVE_MARGIN] = {"margin", "margin"},
};

static enum krn_err
group_weights(struct plan_build *build, struct krn_str node,
	      const struct krn_value *from)
{
	double *weights = build->plan->objectives, sum = 0;

	for (size_t i = 0; i < from->object.nr; i++) {
		const struct krn_member *member = &from->object.members[i];
		size_t k = 0;

		while (k < KRN_OBJECTIVE__MAX &&
		       !krn_str_eq_c(member->name, group_objectives[k].name))
			k++;
		if (k == KRN_OBJECTIVE__MAX)
			return plan_refuse(build,
					   "node \"%.*s\": unknown objective "
					   "\"%.*s\"",
					   KRN_STR_ARG(node),
					   KRN_STR_ARG(member->name));
		if (!krn_value_number(&member->value, &weights[k]) ||
		    !(weights[k] >= 0 && weights[k] <= OBJECTIVE_MAX))
			return plan_refuse(build,
					   "node \"%.*s\": %s must be a number "
					   "from 0 to %d",
					   KRN_STR_ARG(node),
					   group_objectives[k].name,
					   OBJECTIVE_MAX);
		sum += weights[k];
	}
	if (!(sum > 0))
		return plan_refuse(build,
				   "node \"%.*s\": the weights of the "
				   "objectives are 0",
				   KRN_STR_ARG(node));
	for (size_t k = 0; k < KRN_OBJECTIVE__MAX; k++)
		weights[k] /= sum;
	return KRN_OK;
}

enum krn_err
plan_read_optimize(struct plan_build *build, const struct krn_value *node)
{
	const struct krn_value *config = krn_value_find(node, "config");
	const struct krn_value *weights = krn_value_find(config, "weights");
	const struct krn_str profile = plan_text(config, "strategyProfileId");
	const struct krn_str id = plan_text(node, "id");
	enum krn_err e;

	if (profile.len) {
		weights = plan_profile_weights(build, profile);
		if (!weights && build->is_check)
			return KRN_OK;
	}
	if (!weights || weights->type != KRN_VALUE_OBJECT)
		return plan_refuse(
		    build,
		    "node \"%.*s\": optimize needs weights, or a "
		    "ranking profile that is there",
		    KRN_STR_ARG(id));
	if ((e = group_weights(build, id, weights)))
		return e;
	build->plan->is_optimized = true;
	return build->plan->objectives[KRN_OBJECTIVE_PROPENSITY] > 0
		   ? plan_need_model(build)
		   : KRN_OK;
}

static double
group_clamp(double value)
{
	return value < 0 ? 0 : value > 1 ? 1 : value;
}

/* An objective of an offer that is a share of the largest of all. */
static double
group_share(const struct krn_plan *plan, const struct krn_plan_offer *offer,
	    const char *member)
{
	double largest = 0, own = 0, other;

	for (size_t i = 0; i < plan->offers_nr; i++)
		if (plan->offers[i].is_candidate &&
		    krn_value_number(
			krn_value_find(plan->offers[i].row, member), &other))
			largest = fmax(largest, other);
	if (!krn_value_number(krn_value_find(offer->row, member), &own))
		own = 0;
	return largest > 0 ? group_clamp(own / largest) : 0;
}

void
plan_weigh_offers(struct krn_plan *plan)
{
	const double *weights = plan->objectives;

	for (size_t i = 0; plan->is_optimized && i < plan->offers_nr; i++) {
		struct krn_plan_offer *offer = &plan->offers[i];

		if (!offer->is_candidate)
			continue;
		offer->objective =
		    weights[KRN_OBJECTIVE_IMPACT] *
			group_clamp(offer->business_value / 100) +
		    weights[KRN_OBJECTIVE_EMPHASIS] * (offer->priority / 100);
		for (size_t k = KRN_OBJECTIVE_REVENUE;
		     k <= KRN_OBJECTIVE_MARGIN; k++)
			if (weights[k] > 0)
				offer->objective +=
				    weights[k] *
				    group_share(plan, offer,
						group_objectives[k].member);
	}
}
