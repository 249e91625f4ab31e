#ifndef KRN_ALLOCATE_H
#define KRN_ALLOCATE_H

/*
 * Volume limits, settled once over a whole run, in the order of
 * campaign/walk.h. A candidate is given when its offer, its channel, the run
 * and its customer have room, else it is skipped for good; so no limit has room
 * left for a candidate of a customer who has room.
 *
 * Source: contract section 7, volume limits.
 */

#include "base/arena.h"

/* What was given, a bit a candidate. */

static inline bool
krn_given(const unsigned char *given, size_t candidate)
{
	return given[candidate / 8] >> candidate % 8 & 1;
}

static inline void
krn_given_set(unsigned char *given, size_t candidate)
{
	given[candidate / 8] |= (unsigned char)(1U << candidate % 8);
}

/* -1: no limit; 0: none pass. */
struct krn_allocate_limits {
	int64_t total, per_offer, per_channel;
	int64_t per_customer; /* maxCandidates, at most 255 */
};

struct krn_allocate {
	struct krn_allocate_limits limits;
	int64_t total;
	int64_t *offers, *channels; /* given so far, by index */
	size_t offers_nr, channels_nr;
	unsigned char *customers; /* given so far, by customer number */
	size_t customers_nr;
	int64_t skipped; /* because of a limit of the run */
	bool reached_total, reached_offer, reached_channel;
};

/*
 * Ownership: everything lives in `arena`.
 * Errors:    as krn_arena_fail
 */
KRN_MUSTCHECK enum krn_err
krn_allocate_init(struct krn_allocate *allocate, struct krn_arena *arena,
		  const struct krn_allocate_limits *limits, size_t offers_nr,
		  size_t channels_nr, size_t customers_nr,
		  struct krn_error *err);

/* Is the next candidate of the walk given? */
bool krn_allocate_next(struct krn_allocate *allocate, size_t customer,
		       size_t offer, size_t channel);

#endif
