/*
 * When a schedule fires next: the local time by the calendar, the instant by
 * the zone's offsets.
 */

#include "base/base.h"

#include "schedule/schedule.h"

#define SCHEDULE_MINUTE_US (INT64_C(60) * KRN_US_PER_SECOND)
#define SCHEDULE_DAY_MINUTES (24 * 60)

/*
 * 29 February is up to 40 years away on a given day of the week, across a
 * year such as 2100; what does not come until then never does.
 */
#define SCHEDULE_DAYS_MAX (INT64_C(41) * 366)

/* Times are written with four digits of the year: 9999-12-01. */
#define SCHEDULE_LAST_US (INT64_C(2932866) * KRN_US_PER_DAY)

/* How far the clocks of a zone are from UTC, and a skipped day. */
#define SCHEDULE_ZONE_US (3 * KRN_US_PER_DAY)

/* What is read at once: most schedules fire within a year. */
#define SCHEDULE_SPAN_US (400 * KRN_US_PER_DAY)

/* The quotient rounded down, also below zero. */
static int64_t
schedule_floor(int64_t value, int64_t by)
{
	return value / by - (value % by < 0);
}

static struct krn_civil
schedule_civil(int64_t day)
{
	return krn_civil_from_us(day * KRN_US_PER_DAY);
}

/* The first day of the month after that of `civil`. */
static int64_t
schedule_month_after(const struct krn_civil *civil)
{
	const struct krn_civil first = {
	    .year = civil->year + (civil->month == 12),
	    .month = civil->month % 12 + 1,
	    .day = 1,
	};

	return schedule_floor(krn_civil_to_us(&first), KRN_US_PER_DAY);
}

static bool
schedule_last_working_is(const struct krn_civil *civil)
{
	const struct krn_civil last =
	    schedule_civil(schedule_month_after(civil) - 1);
	const int weekend = last.weekday == 0 ? 2 : last.weekday == 6 ? 1 : 0;

	return civil->day == last.day - weekend;
}

static bool
schedule_day_is(const struct krn_schedule *schedule,
		const struct krn_civil *civil)
{
	const bool day = schedule->days >> civil->day & 1;
	const bool weekday = schedule->weekdays >> civil->weekday & 1;

	if (schedule->last_working_day)
		return schedule_last_working_is(civil);
	return schedule->either_day ? day || weekday : day && weekday;
}

/* The first minute of the day, at `from` or later; -1: none. */
static int64_t
schedule_minute(const struct krn_schedule *schedule, int64_t from)
{
	for (int64_t hour = from / 60, first = from % 60; hour < 24;
	     hour++, first = 0) {
		const uint64_t minutes = schedule->minutes >> first;

		if (schedule->hours >> hour & 1 && minutes)
			return hour * 60 + first + __builtin_ctzll(minutes);
	}
	return -1;
}

int64_t
krn_schedule_local_next(const struct krn_schedule *schedule, int64_t after_us)
{
	const int64_t start = schedule_floor(after_us, SCHEDULE_MINUTE_US) + 1;
	const int64_t first = schedule_floor(start, SCHEDULE_DAY_MINUTES);
	int64_t day = first, from = start - first * SCHEDULE_DAY_MINUTES;

	while (day <= first + SCHEDULE_DAYS_MAX) {
		const struct krn_civil civil = schedule_civil(day);

		if (!(schedule->months >> civil.month & 1)) {
			day = schedule_month_after(&civil);
			from = 0;
			continue;
		}
		if (schedule_day_is(schedule, &civil)) {
			const int64_t minute = schedule_minute(schedule, from);

			if (minute >= 0)
				return day * KRN_US_PER_DAY +
				       minute * SCHEDULE_MINUTE_US;
		}
		day++;
		from = 0;
	}
	return KRN_SCHEDULE_NEVER;
}

int64_t
krn_schedule_zone_next(const struct krn_schedule *schedule,
		       const struct krn_zone *zone, int64_t after_us)
{
	/* what the clocks have shown already does not come again */
	const int64_t local_us = krn_schedule_local_next(
	    schedule, krn_zone_local_latest(zone, after_us));

	return local_us > SCHEDULE_LAST_US ? KRN_SCHEDULE_NEVER
					   : krn_zone_instant(zone, local_us);
}

enum krn_err
krn_schedule_next(struct krn_arena *arena, struct krn_db *db,
		  const struct krn_schedule *schedule, struct krn_str zone_name,
		  int64_t after_us, int64_t *ret_us, int64_t *ret_local_us,
		  struct krn_error *err)
{
	const int64_t until_us = after_us + SCHEDULE_SPAN_US;
	struct krn_zone zone;
	int64_t us;
	enum krn_err e;

	if ((e = krn_zone_load(arena, db, zone_name,
			       after_us - SCHEDULE_ZONE_US, until_us, &zone,
			       err)))
		return e;
	us = krn_schedule_zone_next(schedule, &zone, after_us);
	if (us != KRN_SCHEDULE_NEVER && us > until_us - SCHEDULE_ZONE_US) {
		/* the right local time, by an offset that may have changed */
		const int64_t local_us = krn_zone_local(&zone, us);

		if ((e = krn_zone_load(
			 arena, db, zone_name, local_us - SCHEDULE_ZONE_US,
			 local_us + SCHEDULE_ZONE_US, &zone, err)))
			return e;
		us = krn_zone_instant(&zone, local_us);
	}
	*ret_us = us;
	if (ret_local_us)
		*ret_local_us = us == KRN_SCHEDULE_NEVER
				    ? KRN_SCHEDULE_NEVER
				    : krn_zone_local(&zone, us);
	return KRN_OK;
}
