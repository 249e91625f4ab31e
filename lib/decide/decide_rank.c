/* Ranking: a heap whose top is the best, and turns of the categories. */

#include "base/base.h"

#include "decide/decide_private.h"

bool
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

void
decide_heap(struct krn_decide *d)
{
	for (size_t i = d->heap_nr / 2; i-- > 0;)
		decide_sift(d, i);
}

struct decide_entry
decide_pop(struct krn_decide *d)
{
	const struct decide_entry top = d->heap[0];

	d->heap[0] = d->heap[--d->heap_nr];
	decide_sift(d, 0);
	return top;
}

/* Order the heap by turns of the categories. Source: plan.h, rank. */
void
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
	decide_heap(d);
}
