/*
 * Local times and instants.
 */

#include "base/base.h"

#include "schedule/zone.h"

/* 0001-01-01, the first instant that can be written as text */
#define ZONE_FIRST_US (INT64_C(-719162) * KRN_US_PER_DAY)

enum krn_err
krn_zone_load(struct krn_arena *arena, struct krn_db *db, struct krn_str name,
	      int64_t since_us, int64_t until_us, struct krn_zone *ret,
	      struct krn_error *err)
{
	/* from a midnight on, as changes are sought at whole seconds */
	const int64_t midnight_us =
	    since_us > ZONE_FIRST_US
		? since_us - (since_us - ZONE_FIRST_US) % KRN_US_PER_DAY
		: ZONE_FIRST_US;
	const struct krn_param params[] = {
	    krn_param_str(name),
	    krn_param_time(arena, midnight_us),
	    krn_param_time(arena, until_us),
	};
	const struct krn_rows *rows;
	struct krn_zone_offset *offsets;
	enum krn_err e;

	if (!params[1].value || !params[2].value)
		return krn_arena_fail(arena, err);
	if ((e = krn_db_exec(db, KRN_STMT_zone_offsets, params, &rows, err)))
		return e;
	ret->nr = krn_rows_nr(rows);
	KRN_BUG_IF(ret->nr == 0);
	offsets = krn_arena_calloc(arena, ret->nr, sizeof(*offsets));
	if (!offsets)
		return krn_arena_fail(arena, err);
	for (size_t i = 0; i < ret->nr; i++) {
		offsets[i].at_us = krn_rows_time(rows, i, 0);
		offsets[i].offset_us =
		    krn_rows_int(rows, i, 1) * KRN_US_PER_SECOND;
	}
	ret->offsets = offsets;
	return KRN_OK;
}

int64_t
krn_zone_local(const struct krn_zone *zone, int64_t us)
{
	size_t i = zone->nr - 1;

	while (i > 0 && zone->offsets[i].at_us > us)
		i--;
	return us + zone->offsets[i].offset_us;
}

int64_t
krn_zone_local_latest(const struct krn_zone *zone, int64_t us)
{
	int64_t latest = krn_zone_local(zone, us);

	/* what the clocks showed last before each change */
	for (size_t i = 1; i < zone->nr && zone->offsets[i].at_us <= us; i++) {
		const int64_t local =
		    zone->offsets[i].at_us - 1 + zone->offsets[i - 1].offset_us;

		if (local > latest)
			latest = local;
	}
	return latest;
}

int64_t
krn_zone_instant(const struct krn_zone *zone, int64_t local_us)
{
	for (size_t i = 0;; i++) {
		const int64_t us = local_us - zone->offsets[i].offset_us;

		if (i + 1 < zone->nr && us >= zone->offsets[i + 1].at_us)
			continue;
		/* before its offset holds: in the gap that the change made */
		return i > 0 && us < zone->offsets[i].at_us
			   ? zone->offsets[i].at_us
			   : us;
	}
}
