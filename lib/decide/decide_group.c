/*
 * Node group: which of the ranked offers gets which place. Greedy goes by
 * rank; optimal has the largest sum of scores, by the Hungarian method with
 * potentials (Kuhn, Munkres; Jonker and Volgenant's shortest paths).
 */

#include "base/base.h"

#include <math.h>

#include "decide/decide_private.h"

/*
 * A score costs as an integer, in proportion to the largest, so that sums of
 * all places and their differences are exact. An offer itself costs one less
 * than nothing: of equal sums that of more offers is cheaper, and one of score
 * 0 gets a place that is free. 64 is more than there are places, and 2^48 * 64
 * for each of them is below 2^60.
 */
#define GROUP_LARGEST 0x1p48
#define GROUP_SCORE 64

#define PLACES (KRN_PLAN_PLACES_MAX + 1)
#define OFFERS (KRN_PLAN_CANDIDATES_MAX + 1)

struct decide_group {
	struct decide_entry *options; /* what passed the gates, by offer */
	size_t options_nr;
	struct decide_entry ranked[KRN_PLAN_CANDIDATES_MAX];
	size_t ranked_nr;
	/* of each ranked offer: its option, NULL: no place */
	const struct decide_entry *given[KRN_PLAN_CANDIDATES_MAX];
	/* the option of each place (row) and offer (column), from 1 */
	const struct decide_entry *table[PLACES][OFFERS];
	/* what they cost there: less for a larger score */
	int64_t cost[PLACES][OFFERS];
};

struct decide_group *
decide_group_new(struct krn_arena *arena, const struct krn_plan *plan)
{
	struct decide_group *group = krn_arena_make(arena, struct decide_group);

	if (!group)
		return NULL;
	group->options =
	    krn_arena_calloc(arena, plan->pairs_nr, sizeof(*group->options));
	return group->options ? group : NULL;
}

void
decide_group_clear(struct decide_group *group)
{
	group->options_nr = 0;
}

void
decide_group_add(struct decide_group *group, const struct decide_entry *entry)
{
	group->options[group->options_nr++] = *entry;
}

/* The first option of an offer: they have the order of the pairs. */
static size_t
group_first(const struct decide_group *group, uint32_t offer)
{
	size_t low = 0, high = group->options_nr;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (group->options[middle].pair->offer < offer)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Each by rank takes its best place that is free. */
static void
group_greedy(struct krn_decide *d)
{
	struct decide_group *group = d->group;
	uint32_t used[KRN_PLAN_PLACEMENTS_MAX] = {0};

	for (size_t i = 0; i < group->ranked_nr; i++) {
		const uint32_t offer = group->ranked[i].pair->offer;
		const struct decide_entry *best = NULL;

		for (size_t k = group_first(group, offer);
		     k < group->options_nr &&
		     group->options[k].pair->offer == offer;
		     k++) {
			const struct decide_entry *option = &group->options[k];
			const size_t placement =
			    (size_t)option->pair->placement;

			if (used[placement] <
				d->plan->placements[placement].max &&
			    (!best || decide_better(d, option, best)))
				best = option;
		}
		group->given[i] = best;
		if (best)
			used[best->pair->placement]++;
	}
}

/* The best option of each place and offer; a placement has several places. */
static void
group_fill(struct krn_decide *d)
{
	struct decide_group *group = d->group;
	const struct krn_plan *plan = d->plan;
	size_t place = 1;

	for (size_t p = 0; p < plan->placements_nr; p++)
		for (uint32_t n = 0; n < plan->placements[p].max; n++, place++)
			for (size_t i = 1; i <= group->ranked_nr; i++)
				group->table[place][i] = NULL;
	for (size_t i = 0; i < group->ranked_nr; i++) {
		const uint32_t offer = group->ranked[i].pair->offer;

		for (size_t k = group_first(group, offer);
		     k < group->options_nr &&
		     group->options[k].pair->offer == offer;
		     k++) {
			const struct decide_entry *option = &group->options[k];

			place = 1;
			for (int p = 0; p < option->pair->placement; p++)
				place += plan->placements[p].max;
			for (uint32_t n = 0;
			     n < plan->placements[option->pair->placement].max;
			     n++, place++) {
				const struct decide_entry **cell =
				    &group->table[place][i + 1];

				if (!*cell || decide_better(d, option, *cell))
					*cell = option;
			}
		}
	}
}

static void
group_costs(struct decide_group *group, size_t places)
{
	double largest = 0;

	for (size_t k = 0; k < group->options_nr; k++)
		largest = fmax(largest, group->options[k].score);
	for (size_t place = 1; place <= places; place++)
		for (size_t i = 1; i <= group->ranked_nr; i++) {
			const struct decide_entry *option =
			    group->table[place][i];
			const double part =
			    option && largest > 0 ? option->score / largest : 0;

			group->cost[place][i] =
			    option ? -1 - GROUP_SCORE *
					      llround(part * GROUP_LARGEST)
				   : 0;
		}
}

/* Columns beyond the offers leave their place empty: there is one a place. */
struct group_state {
	size_t columns;
	int64_t of_place[PLACES], of_offer[OFFERS + PLACES];
	size_t place[OFFERS + PLACES]; /* that a column has; 0: none */
	size_t way[OFFERS + PLACES];
};

/* A cheapest path from a new place to a column that is free. */
static void
group_augment(const struct decide_group *group, struct group_state *state,
	      size_t place)
{
	int64_t least[OFFERS + PLACES];
	bool is_used[OFFERS + PLACES] = {false};
	size_t at = 0;

	for (size_t j = 0; j <= state->columns; j++)
		least[j] = INT64_MAX / 2;
	state->place[0] = place;
	do {
		const size_t row = state->place[at];
		int64_t step = INT64_MAX;
		size_t next = 0;

		is_used[at] = true;
		for (size_t j = 1; j <= state->columns; j++) {
			if (is_used[j])
				continue;
			const int64_t cost =
			    (j <= group->ranked_nr ? group->cost[row][j] : 0) -
			    state->of_place[row] - state->of_offer[j];

			if (cost < least[j]) {
				least[j] = cost;
				state->way[j] = at;
			}
			if (least[j] < step) {
				step = least[j];
				next = j;
			}
		}
		for (size_t j = 0; j <= state->columns; j++) {
			if (is_used[j]) {
				state->of_place[state->place[j]] += step;
				state->of_offer[j] -= step;
			} else {
				least[j] -= step;
			}
		}
		at = next;
	} while (state->place[at]);
	for (; at; at = state->way[at])
		state->place[at] = state->place[state->way[at]];
}

static void
group_optimal(struct krn_decide *d)
{
	struct decide_group *group = d->group;
	const size_t places = d->plan->places_nr;
	struct group_state state = {.columns = group->ranked_nr + places};

	group_fill(d);
	group_costs(group, places);
	for (size_t place = 1; place <= places; place++)
		group_augment(group, &state, place);
	for (size_t i = 1; i <= group->ranked_nr; i++)
		group->given[i - 1] =
		    state.place[i] ? group->table[state.place[i]][i] : NULL;
}

void
decide_group_ranked(struct krn_decide *d)
{
	struct decide_group *group = d->group;

	group->ranked_nr = 0;
	while (d->heap_nr && group->ranked_nr < d->plan->max_candidates)
		group->ranked[group->ranked_nr++] = decide_pop(d);
	if (d->plan->is_optimal)
		group_optimal(d);
	else
		group_greedy(d);
}

size_t
decide_group_nr(const struct decide_group *group)
{
	return group->ranked_nr;
}

const struct decide_entry *
decide_group_given(const struct decide_group *group, size_t i,
		   const struct decide_entry **ret_ranked)
{
	*ret_ranked = &group->ranked[i];
	return group->given[i];
}
