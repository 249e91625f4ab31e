/*
 * The walk of volume limits.
 */

#include "base/base.h"

#include "campaign/allocate.h"

enum krn_err
krn_allocate_init(struct krn_allocate *allocate, struct krn_arena *arena,
		  const struct krn_allocate_limits *limits, size_t offers_nr,
		  size_t channels_nr, size_t customers_nr,
		  struct krn_error *err)
{
	KRN_BUG_IF(limits->per_customer < 1 || limits->per_customer > 255);
	*allocate = (struct krn_allocate){
	    .limits = *limits,
	    .offers = krn_arena_calloc(arena, offers_nr, sizeof(int64_t)),
	    .channels = krn_arena_calloc(arena, channels_nr, sizeof(int64_t)),
	    .offers_nr = offers_nr,
	    .channels_nr = channels_nr,
	    .customers = krn_arena_calloc(arena, customers_nr, 1),
	    .customers_nr = customers_nr,
	};
	if (!allocate->offers || !allocate->channels || !allocate->customers)
		return krn_arena_fail(arena, err);
	return KRN_OK;
}

static bool
allocate_is_full(int64_t given, int64_t limit)
{
	return limit >= 0 && given >= limit;
}

bool
krn_allocate_next(struct krn_allocate *allocate, size_t customer, size_t offer,
		  size_t channel)
{
	const struct krn_allocate_limits *limits = &allocate->limits;

	KRN_BUG_IF(customer >= allocate->customers_nr ||
		   offer >= allocate->offers_nr ||
		   channel >= allocate->channels_nr);
	if (allocate->customers[customer] >= limits->per_customer)
		return false;
	const bool no_total = allocate_is_full(allocate->total, limits->total);
	const bool no_offer =
	    allocate_is_full(allocate->offers[offer], limits->per_offer);
	const bool no_channel =
	    allocate_is_full(allocate->channels[channel], limits->per_channel);

	allocate->reached_total |= no_total;
	allocate->reached_offer |= no_offer;
	allocate->reached_channel |= no_channel;
	if (no_total || no_offer || no_channel) {
		allocate->skipped++;
		return false;
	}
	allocate->total++;
	allocate->offers[offer]++;
	allocate->channels[channel]++;
	allocate->customers[customer]++;
	return true;
}
