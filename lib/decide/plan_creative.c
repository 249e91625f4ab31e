/*
 * Node match_creatives: each pair's creative.
 */

#include "base/base.h"

#include "decide/plan_private.h"

enum krn_err
plan_read_creatives(struct plan_build *build, const struct krn_value *node)
{
	const struct krn_value *config = krn_value_find(node, "config");
	const struct krn_value *require =
	    krn_value_find(config, "requireCreative");
	const struct krn_str mode = plan_text(config, "placementMatchMode");

	/* the flow's own and that of a flow called may want different ones */
	if (build->has_creatives)
		return plan_refuse(build, "match_creatives is there more than "
					  "once, in flows that are called");
	if (require && require->type != KRN_VALUE_BOOL)
		return plan_refuse(build, "match_creatives: requireCreative "
					  "must be true or false");
	if (mode.len && !krn_str_eq_c(mode, "exact") &&
	    !krn_str_eq_c(mode, "any") && !krn_str_eq_c(mode, "none"))
		return plan_refuse(build,
				   "match_creatives: placementMatchMode "
				   "\"%.*s\" is not supported",
				   KRN_STR_ARG(mode));
	build->has_creatives = true;
	build->is_exact = krn_str_eq_c(mode, "exact");
	build->plan->needs_creative = !require || require->boolean;
	build->plan->creative_id = plan_text(node, "id");
	return KRN_OK;
}

/* The first pair of an offer and a channel; pairs are in their order. */
static size_t
creative_pairs(const struct krn_plan *plan, int offer, int channel)
{
	size_t low = 0, high = offer < 0 || channel < 0 ? 0 : plan->pairs_nr;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const struct krn_plan_pair *pair = &plan->pairs[middle];

		if (pair->offer < (uint32_t)offer ||
		    (pair->offer == (uint32_t)offer &&
		     pair->channel < (uint32_t)channel))
			low = middle + 1;
		else
			high = middle;
	}
	return offer < 0 || channel < 0 ? plan->pairs_nr : low;
}

/* May the creative stand where the pair is? */
static bool
creative_fits(const struct plan_build *build, const struct krn_plan_pair *pair,
	      const struct krn_plan_creative *creative)
{
	if (pair->placement < 0)
		return !build->is_exact || !creative->placement_id.len;
	return krn_str_eq(creative->placement_id,
			  build->plan->placements[pair->placement].id);
}

static bool
creative_better(const struct krn_plan_creative *a,
		const struct krn_plan_creative *b)
{
	if (a->weight != b->weight)
		return a->weight > b->weight;
	return krn_str_cmp(a->name, b->name) < 0;
}

/* The pair takes the creative, unless it has a better one. */
static void
creative_offer(const struct plan_build *build, struct krn_plan_pair *pair,
	       size_t index)
{
	const struct krn_plan_creative *list = build->plan->creatives;

	if (!creative_fits(build, pair, &list[index]) ||
	    (pair->creative >= 0 &&
	     !creative_better(&list[index], &list[pair->creative])))
		return;
	pair->creative = (int)index;
	pair->weight = list[index].weight;
}

enum krn_err
plan_match_creatives(struct plan_build *build)
{
	struct krn_plan *plan = build->plan;
	const struct krn_value *list =
	    build->has_creatives ? plan_list(build->config, "creatives") : NULL;

	for (size_t i = 0; i < plan->pairs_nr; i++) {
		plan->pairs[i].creative = -1;
		plan->pairs[i].weight = 100;
	}
	if (!list)
		return KRN_OK;
	plan->creatives = krn_arena_calloc(build->arena, list->array.nr,
					   sizeof(*plan->creatives));
	if (!plan->creatives)
		return krn_arena_fail(build->arena, build->err);
	for (size_t i = 0; i < list->array.nr; i++) {
		const struct krn_value *from = &list->array.items[i];
		struct krn_plan_creative *creative = &plan->creatives[i];
		const int offer =
		    krn_plan_offer_find(plan, plan_text(from, "offerId"));
		const int channel =
		    krn_plan_channel_find(plan, plan_text(from, "channelId"));

		creative->id = plan_text(from, "id");
		creative->name = plan_text(from, "name");
		creative->placement_id = plan_text(from, "placementId");
		if (!krn_value_number(krn_value_find(from, "weight"),
				      &creative->weight))
			creative->weight = 100;
		for (size_t k = creative_pairs(plan, offer, channel);
		     k < plan->pairs_nr &&
		     plan->pairs[k].offer == (uint32_t)offer &&
		     plan->pairs[k].channel == (uint32_t)channel;
		     k++)
			creative_offer(build, &plan->pairs[k], i);
	}
	plan->creatives_nr = list->array.nr;
	return KRN_OK;
}
