#ifndef KRN_ZONE_H
#define KRN_ZONE_H

/*
 * A time zone over a span of time: the UTC offsets that hold one after the
 * other. Local times are microseconds, as if they were UTC.
 *
 * Clocks go back as well as forward. Both functions look at the first instant
 * at which a zone's clocks show a local time or a later one: for a time that
 * exists twice that is the first, for one in a gap the gap's end.
 */

#include "base/clock.h"
#include "store/db.h"

struct krn_zone_offset {
	int64_t at_us;     /* holds from this instant on */
	int64_t offset_us; /* local time less UTC */
};

/* Offsets in order of their instants; the first holds before it too. */
struct krn_zone {
	const struct krn_zone_offset *offsets;
	size_t nr; /* at least one */
};

/*
 * The offsets of a span.
 * Ownership: *ret lives in `arena`.
 * Errors:    KRN_ERR_INTERNAL  PostgreSQL does not know the zone
 */
KRN_MUSTCHECK enum krn_err krn_zone_load(struct krn_arena *arena,
					 struct krn_db *db, struct krn_str name,
					 int64_t since_us, int64_t until_us,
					 struct krn_zone *ret,
					 struct krn_error *err);

/* What the clocks show at an instant. */
int64_t krn_zone_local(const struct krn_zone *zone, int64_t us);

/* The latest that the clocks have shown until an instant, it included. */
int64_t krn_zone_local_latest(const struct krn_zone *zone, int64_t us);

/* The first instant at which the clocks show a local time or a later one. */
int64_t krn_zone_instant(const struct krn_zone *zone, int64_t local_us);

#endif
