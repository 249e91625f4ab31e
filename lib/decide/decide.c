/*
 * Evaluating a plan for a customer: rules once, policies once, then the pairs
 * by masks, then a heap for the ranking.
 */

#include "base/base.h"

#include "decide/decide.h"

#include <stdarg.h>

#include "decide/decide_policy.h"
#include "decide/decide_private.h"

struct krn_decide *
krn_decide_new(struct krn_arena *arena, const struct krn_plan *plan,
	       size_t keep)
{
	struct krn_decide *d = krn_arena_make(arena, struct krn_decide);

	if (!d)
		return NULL;
	d->plan = plan;
	d->keep = keep;
	d->values =
	    krn_arena_calloc(arena, plan->columns_nr, sizeof(*d->values));
	d->room = krn_arena_calloc(arena, plan->policies_nr, sizeof(*d->room));
	d->holders =
	    krn_arena_calloc(arena, plan->policies_nr, sizeof(*d->holders));
	d->filter_bits =
	    krn_arena_calloc(arena, plan->filters_nr, sizeof(*d->filter_bits));
	d->turns =
	    krn_arena_calloc(arena, plan->categories_nr, sizeof(*d->turns));
	d->heap = krn_arena_calloc(arena, plan->pairs_nr, sizeof(*d->heap));
	d->candidates = krn_arena_calloc(arena, keep, sizeof(*d->candidates));
	if (plan->placements_nr && !(d->group = decide_group_new(arena, plan)))
		return NULL;
	if (plan->settings_nr && !decide_properties_new(arena, d))
		return NULL;
	return d->values && d->room && d->holders && d->filter_bits &&
		       d->turns && d->heap && d->candidates
		   ? d
		   : NULL;
}

void
krn_decide_explain(struct krn_decide *decide, krn_drop_fn fn, void *data)
{
	decide->explain = fn;
	decide->explain_data = data;
}

void
decide_fail(struct krn_decide *d, const char *format, ...)
{
	va_list args;

	if (d->error[0])
		return;
	va_start(args, format);
	krn_format_v(d->error, sizeof(d->error), format, args);
	va_end(args);
}

/* Gates */

/* The first rule or policy of both masks, or -1. */
static int
decide_hit(const struct krn_decide *d, const uint64_t *mask,
	   const uint64_t *of_pair)
{
	for (size_t w = 0; w < d->plan->mask_words; w++)
		if (mask[w] & of_pair[w])
			return (int)(w * 64) +
			       __builtin_ctzll(mask[w] & of_pair[w]);
	return -1;
}

static void
decide_drop(struct krn_decide *d, const struct krn_plan_pair *pair,
	    enum krn_drop why, struct krn_str id)
{
	if (why == KRN_DROP_QUALIFICATION)
		d->out->dropped_qualification++;
	else if (why == KRN_DROP_CONTACT_POLICY)
		d->out->dropped_contact_policy++;
	if (d->explain)
		d->explain(d->explain_data, pair, why, id);
}

/* Does a node of the flow drop the pair: a filter, or the want of a creative?
 */
static bool
decide_node_drops(struct krn_decide *d, const struct krn_plan_pair *pair)
{
	const struct krn_plan *plan = d->plan;
	const int hit = decide_filter_hit(plan, pair, d->filter_bits);

	if (hit < 0 && (pair->creative >= 0 || !plan->needs_creative))
		return false;
	decide_drop(d, pair, KRN_DROP_QUALIFICATION,
		    hit < 0 ? plan->creative_id : plan->filters[hit].id);
	return true;
}

/* Was the customer sent the offer as often as it says? It is sent once more. */
static bool
decide_is_capped(const struct krn_decide *d, const struct krn_plan_offer *offer)
{
	const struct krn_customer *customer = d->customer;

	for (size_t k = 0; k < offer->caps_nr; k++) {
		int64_t used = 0;

		for (size_t i = 0; i < customer->contacts_nr; i++)
			if (customer->contacts[i].of.offer ==
			    (int)(offer - d->plan->offers))
				used += customer->contacts[i]
					    .counts[offer->caps[k].window];
		if (used >= offer->caps[k].max)
			return true;
	}
	return false;
}

/* Does the offer drop itself? Source: plan.h, constraints. */
static bool
decide_offer_drops(struct krn_decide *d, const struct krn_plan_pair *pair)
{
	const struct krn_plan_offer *offer = &d->plan->offers[pair->offer];

	if (offer->is_out_of_stock)
		decide_drop(d, pair, KRN_DROP_QUALIFICATION,
			    KRN_STR("inventory"));
	else if (offer->is_spent)
		decide_drop(d, pair, KRN_DROP_QUALIFICATION, KRN_STR("budget"));
	else if (decide_is_capped(d, offer))
		decide_drop(d, pair, KRN_DROP_CONTACT_POLICY,
			    KRN_STR("frequencyCaps"));
	else
		return false;
	return true;
}

/* Does a rule or a policy, or what the offer says itself? */
static bool
decide_gate_drops(struct krn_decide *d, const struct krn_plan_pair *pair)
{
	const struct krn_plan *plan = d->plan;
	int hit;

	decide_pair(d, pair);
	hit = decide_hit(d, d->failed, pair->hard);
	if (hit >= 0) {
		decide_drop(d, pair, KRN_DROP_QUALIFICATION,
			    plan->rules[hit].id);
		return true;
	}
	hit = decide_hit(d, d->blocked, pair->policies);
	if (hit >= 0) {
		decide_drop(d, pair, KRN_DROP_CONTACT_POLICY,
			    plan->policies[hit].id);
		return true;
	}
	return decide_offer_drops(d, pair);
}

/* What passes the gates goes on the heap: of each offer its best channel. */
static void
decide_gates(struct krn_decide *d)
{
	const struct krn_plan *plan = d->plan;

	d->heap_nr = 0;
	if (d->group)
		decide_group_clear(d->group);
	for (size_t i = 0; i < plan->pairs_nr; i++) {
		const struct krn_plan_pair *pair = &plan->pairs[i];

		if (decide_node_drops(d, pair) || decide_gate_drops(d, pair))
			continue;
		const struct decide_entry entry = {0, decide_score(d, pair),
						   pair};
		struct decide_entry *last =
		    d->heap_nr ? &d->heap[d->heap_nr - 1] : NULL;

		if (d->group)
			decide_group_add(d->group, &entry);
		if (!last || last->pair->offer != pair->offer)
			d->heap[d->heap_nr++] = entry;
		else if (decide_better(d, &entry, last))
			*last = entry;
	}
	decide_heap(d);
}

/* Has all that looks at the pair room left? Then take it of all it counts. */
static bool
decide_take_room(struct krn_decide *d, const struct krn_plan_pair *pair)
{
	const struct krn_plan *plan = d->plan;

	for (size_t i = 0; i < plan->policies_nr; i++)
		if ((pair->policies[i / 64] >> i % 64 & 1) &&
		    (d->room[i] <= 0 ||
		     decide_group_blocks(d->holders[i], pair))) {
			decide_drop(d, pair, KRN_DROP_CONTACT_POLICY,
				    plan->policies[i].id);
			return false;
		}
	for (size_t i = 0; i < plan->policies_nr; i++) {
		const struct krn_plan_policy *policy = &plan->policies[i];

		if (!(pair->counted[i / 64] >> i % 64 & 1))
			continue;
		if (policy->caps_nr)
			d->room[i]--;
		if (policy->type == KRN_POLICY_GROUP)
			decide_group_hold(&d->holders[i], (int)pair->offer);
	}
	return true;
}

static void
decide_give(struct krn_decide *d, const struct decide_entry *entry)
{
	struct krn_candidate *candidate = &d->candidates[d->out->candidates_nr];

	if (!decide_take_room(d, entry->pair))
		return;
	*candidate = (struct krn_candidate){.offer = entry->pair->offer,
					    .channel = entry->pair->channel,
					    .creative = entry->pair->creative,
					    .score = entry->score,
					    .pair = entry->pair};
	if (d->plan->settings_nr)
		decide_properties(d, entry->pair, candidate);
	d->out->candidates_nr++;
}

/* The best of what is left, in their order. */
static void
decide_take(struct krn_decide *d)
{
	while (d->heap_nr && d->out->candidates_nr < d->keep) {
		const struct decide_entry entry = decide_pop(d);

		decide_give(d, &entry);
	}
}

/* Those that have a place, in their order. */
static void
decide_take_group(struct krn_decide *d)
{
	decide_group_ranked(d);
	for (size_t i = 0; i < decide_group_nr(d->group); i++) {
		const struct decide_entry *ranked;
		const struct decide_entry *given =
		    decide_group_given(d->group, i, &ranked);

		if (!given)
			decide_drop(d, ranked->pair, KRN_DROP_GROUP,
				    d->plan->group_id);
		else if (d->out->candidates_nr < d->keep)
			decide_give(d, given);
	}
}

void
krn_decide_customer(struct krn_decide *decide,
		    const struct krn_customer *customer,
		    struct krn_decision *ret)
{
	*ret = (struct krn_decision){.candidates = decide->candidates};
	decide->out = ret;
	decide->customer = customer;
	decide->error[0] = '\0';
	decide_choose_model(decide);
	decide_rules(decide);
	decide_policies(decide->plan, customer, decide->blocked, decide->room,
			decide->holders);
	decide_filter_bits(decide);
	decide_gates(decide);
	decide_turns(decide);
	if (!decide->error[0] && decide->group)
		decide_take_group(decide);
	else if (!decide->error[0])
		decide_take(decide);
	if (decide->error[0])
		*ret = (struct krn_decision){.candidates = decide->candidates,
					     .conversion_failures =
						 ret->conversion_failures,
					     .error = decide->error};
}
