/*
 * Evaluating a plan for a customer: rules once, policies once, then the pairs
 * by masks, then a heap for the ranking.
 */

#include "base/base.h"

#include "decide/decide.h"

#include <float.h>
#include <math.h>

#include "decide/decide_policy.h"
#include "decide/decide_private.h"

struct krn_decide {
	const struct krn_plan *plan;
	size_t keep;
	krn_drop_fn explain;
	void *explain_data;
	/* of the current customer */
	struct decide_value *values;
	uint64_t failed[KRN_PLAN_MASK_WORDS];  /* rules */
	uint64_t blocked[KRN_PLAN_MASK_WORDS]; /* policies */
	uint64_t *filter_bits;                 /* of each filter */
	int64_t *room;                         /* of each policy's caps */
	int *holders;                          /* of each policy's group */
	const struct krn_customer *customer;
	struct decide_entry *heap;
	size_t heap_nr;
	uint64_t *turns; /* of each category: how many it had */
	struct krn_candidate *candidates;
	struct krn_decision *out;
};

struct decide_entry {
	uint64_t turn; /* 0 until turns are given */
	double score;
	const struct krn_plan_pair *pair;
};

struct krn_decide *
krn_decide_new(struct krn_arena *arena, const struct krn_plan *plan,
	       size_t keep)
{
	struct krn_decide *d = krn_arena_make(arena, struct krn_decide);

	if (!d)
		return NULL;
	d->plan = plan;
	d->keep = keep;
	d->values = krn_arena_calloc(arena, plan->columns_nr, sizeof(*d->values));
	d->room = krn_arena_calloc(arena, plan->policies_nr, sizeof(*d->room));
	d->holders =
	    krn_arena_calloc(arena, plan->policies_nr, sizeof(*d->holders));
	d->filter_bits =
	    krn_arena_calloc(arena, plan->filters_nr, sizeof(*d->filter_bits));
	d->turns =
	    krn_arena_calloc(arena, plan->categories_nr, sizeof(*d->turns));
	d->heap = krn_arena_calloc(arena, plan->pairs_nr, sizeof(*d->heap));
	d->candidates = krn_arena_calloc(arena, keep, sizeof(*d->candidates));
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

/* Rules */

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
		       (value->text.len && memmem(value->text.s, value->text.len,
						  constant->text.s,
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
	if (rule->never ||
	    (!value->is_good && rule->op != KRN_OP_CONTAINS)) {
		d->out->conversion_failures++;
		return false;
	}
	return decide_operator(rule, value, d->plan->columns[rule->column].type);
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

static void
decide_rules(struct krn_decide *d, const struct krn_customer *customer)
{
	const struct krn_plan *plan = d->plan;

	for (size_t i = 0; i < plan->columns_nr; i++)
		decide_value_read(&d->values[i], customer->columns[i],
				  plan->columns[i].type);
	memset(d->failed, 0, sizeof(d->failed));
	for (size_t i = 0; i < plan->rules_nr; i++)
		if (!decide_rule_passes(d, &plan->rules[i]))
			d->failed[i / 64] |= UINT64_C(1) << i % 64;
}

/* Scores */

static double
decide_clamp(double value)
{
	return value < 0 ? 0 : value > 1 ? 1 : value;
}

/* fit and match of a pair. Source: contract 7, rule configs. */
static void
decide_factors(const struct krn_decide *d, const struct krn_plan_pair *pair,
	       double *ret_fit, double *ret_match)
{
	double fit = 1, match = 1;

	for (size_t w = 0; w < d->plan->mask_words; w++) {
		uint64_t soft = pair->soft[w];

		for (; soft; soft &= soft - 1) {
			const int bit = __builtin_ctzll(soft);
			const struct krn_plan_rule *rule =
			    &d->plan->rules[w * 64 + (size_t)bit];
			const bool failed = d->failed[w] >> bit & 1;

			if (rule->stage == KRN_STAGE_FIT && failed)
				fit *= rule->factor;
			/* many multipliers may leave the numbers; kept within
			   them, a later 0 still makes 0 */
			if (rule->stage == KRN_STAGE_MATCH && !failed)
				match = fmin(match * rule->factor, DBL_MAX);
		}
	}
	*ret_fit = fit;
	*ret_match = match;
}

static double
decide_propensity(const struct krn_decide *d,
		  const struct krn_plan_offer *offer)
{
	double number;

	if (offer->propensity_column < 0)
		return 0.5;
	const struct decide_value *value = &d->values[offer->propensity_column];

	if (value->is_null ||
	    krn_parse_double(value->text, &number, NULL))
		return 0.5;
	return decide_clamp(number);
}

static double
decide_score(const struct krn_decide *d, const struct krn_plan_pair *pair)
{
	const struct krn_plan *plan = d->plan;
	const struct krn_plan_offer *offer = &plan->offers[pair->offer];
	double fit, match;

	decide_factors(d, pair, &fit, &match);
	if (plan->method != KRN_METHOD_FORMULA) {
		const double base =
		    plan->method == KRN_METHOD_PROPENSITY
			? decide_propensity(d, offer)
			: offer->priority / 100 * (pair->weight / 100);
		const double score = base * fit * match;

		return isfinite(score) ? score : DBL_MAX;
	}

	const double parts[] = {
	    decide_propensity(d, offer),
	    decide_clamp(fit * match),
	    decide_clamp(offer->business_value / 100),
	    offer->priority / 100,
	};
	const double *weights = plan->weights[pair->weights].of;
	double score = 1;

	for (size_t i = 0; i < KRN_NR(parts); i++)
		if (weights[i] > 0)
			score *= pow(parts[i], weights[i]);
	return score;
}

/* Ranking: a heap whose top is the best. */

static bool
decide_better(const struct krn_decide *d, const struct decide_entry *a,
	      const struct decide_entry *b)
{
	if (a->turn != b->turn)
		return a->turn < b->turn;
	if (d->plan->by_priority) {
		const double x = d->plan->offers[a->pair->offer].priority;
		const double y = d->plan->offers[b->pair->offer].priority;

		if (x != y)
			return x > y;
	}
	if (a->score != b->score)
		return a->score > b->score;
	return a->pair->order < b->pair->order;
}

static void
decide_sift(struct krn_decide *d, size_t at)
{
	struct decide_entry *heap = d->heap;

	for (;;) {
		const size_t left = 2 * at + 1, right = left + 1;
		size_t best = at;

		if (left < d->heap_nr &&
		    decide_better(d, &heap[left], &heap[best]))
			best = left;
		if (right < d->heap_nr &&
		    decide_better(d, &heap[right], &heap[best]))
			best = right;
		if (best == at)
			return;
		const struct decide_entry swap = heap[at];

		heap[at] = heap[best];
		heap[best] = swap;
		at = best;
	}
}

static struct decide_entry
decide_pop(struct krn_decide *d)
{
	const struct decide_entry top = d->heap[0];

	d->heap[0] = d->heap[--d->heap_nr];
	decide_sift(d, 0);
	return top;
}

/* Order the heap by turns of the categories. Source: plan.h, rank. */
static void
decide_turns(struct krn_decide *d)
{
	const struct krn_plan *plan = d->plan;
	const size_t nr = d->heap_nr;

	if (!plan->turns)
		return;
	memset(d->turns, 0, plan->categories_nr * sizeof(*d->turns));
	while (d->heap_nr) {
		struct decide_entry entry = decide_pop(d);
		const uint32_t category =
		    plan->offers[entry.pair->offer].category;

		entry.turn = d->turns[category]++;
		if (plan->turns == KRN_TURNS_ROUND_ROBIN)
			entry.turn =
			    entry.turn * plan->categories_nr + category;
		d->heap[d->heap_nr] = entry; /* where the heap has ended */
	}
	d->heap_nr = nr;
	for (size_t i = nr / 2; i-- > 0;)
		decide_sift(d, i);
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
decide_set(uint64_t *mask, size_t bit, bool value)
{
	const uint64_t one = UINT64_C(1) << bit % 64;

	mask[bit / 64] = value ? mask[bit / 64] | one : mask[bit / 64] & ~one;
}

/* The rules and policies that see each pair otherwise. */
static void
decide_pair(struct krn_decide *d, const struct krn_plan_pair *pair)
{
	const struct krn_plan *plan = d->plan;

	for (size_t i = 0; i < plan->pair_rules_nr; i++) {
		const size_t at = plan->pair_rules[i];
		const struct krn_plan_rule *rule = &plan->rules[at];

		if (decide_looks(d, rule))
			decide_set(
			    d->failed, at,
			    decide_propensity(d, &plan->offers[pair->offer]) <
				rule->min_score);
	}
	for (size_t i = 0; i < plan->pair_policies_nr; i++) {
		const size_t at = plan->pair_policies[i];

		decide_set(d->blocked, at,
			   decide_group_blocks(d->holders[at], pair));
	}
}

static void
decide_drop(struct krn_decide *d, const struct krn_plan_pair *pair,
	    enum krn_drop why, struct krn_str id)
{
	if (why == KRN_DROP_QUALIFICATION)
		d->out->dropped_qualification++;
	else
		d->out->dropped_contact_policy++;
	if (d->explain)
		d->explain(d->explain_data, pair->offer, pair->channel, why,
			   id);
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

/* What passes the gates goes on the heap: of each offer its best channel. */
static void
decide_gates(struct krn_decide *d)
{
	const struct krn_plan *plan = d->plan;

	d->heap_nr = 0;
	for (size_t i = 0; i < plan->pairs_nr; i++) {
		const struct krn_plan_pair *pair = &plan->pairs[i];

		if (decide_node_drops(d, pair))
			continue;
		decide_pair(d, pair);
		int hit = decide_hit(d, d->failed, pair->hard);

		if (hit >= 0) {
			decide_drop(d, pair, KRN_DROP_QUALIFICATION,
				    plan->rules[hit].id);
			continue;
		}
		hit = decide_hit(d, d->blocked, pair->policies);
		if (hit >= 0) {
			decide_drop(d, pair, KRN_DROP_CONTACT_POLICY,
				    plan->policies[hit].id);
			continue;
		}
		const struct decide_entry entry = {0, decide_score(d, pair),
						   pair};
		struct decide_entry *last =
		    d->heap_nr ? &d->heap[d->heap_nr - 1] : NULL;

		if (!last || last->pair->offer != pair->offer)
			d->heap[d->heap_nr++] = entry;
		else if (decide_better(d, &entry, last))
			*last = entry;
	}
	for (size_t i = d->heap_nr / 2; i-- > 0;)
		decide_sift(d, i);
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

void
krn_decide_customer(struct krn_decide *decide,
		    const struct krn_customer *customer,
		    struct krn_decision *ret)
{
	*ret = (struct krn_decision){.candidates = decide->candidates};
	decide->out = ret;
	decide->customer = customer;
	decide_rules(decide, customer);
	decide_policies(decide->plan, customer, decide->blocked, decide->room,
			decide->holders);
	ret->conversion_failures += decide_filter_bits(
	    decide->plan, decide->values, decide->filter_bits);
	decide_gates(decide);
	decide_turns(decide);
	while (decide->heap_nr && ret->candidates_nr < decide->keep) {
		const struct decide_entry entry = decide_pop(decide);

		if (!decide_take_room(decide, entry.pair))
			continue;
		decide->candidates[ret->candidates_nr++] =
		    (struct krn_candidate){entry.pair->offer,
					   entry.pair->channel,
					   entry.pair->creative, entry.score};
	}
}
