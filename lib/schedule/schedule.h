#ifndef KRN_SCHEDULE_H
#define KRN_SCHEDULE_H

/*
 * Schedules of campaigns and reports: what they may look like and when they
 * fire.
 *
 * Every kind of schedule becomes one set of masks over local time. A moment
 * of it is a local time; which instant that is, a table of UTC offsets says
 * (zone.h).
 *
 * Source: contract section 5; crontab(5) for the five fields; DESIGN.md,
 * Schedules, for what happens where clocks change.
 */

#include "schedule/zone.h"

/* No moment: what an impossible schedule has next. */
#define KRN_SCHEDULE_NEVER INT64_MAX

/* Bit n stands for the value n. */
struct krn_schedule {
	uint64_t minutes;
	uint32_t hours, days, months;
	uint32_t weekdays;     /* 0 is Sunday; 7 has become 0 */
	bool either_day;       /* days or weekdays must fit, not both */
	bool last_working_day; /* besides all that */
};

/* The fields of a campaign, valid ones; .s NULL: not given. */
struct krn_schedule_fields {
	struct krn_str type; /* manual, daily, weekly, monthly */
	struct krn_str time; /* HH:mm */
	struct krn_str cron;
	struct krn_str day_of_month; /* "1" to "28", last_working_day */
	int64_t day_of_week;         /* 0 is Sunday; of weekly only */
};

/* Check */

/*
 * Is it a cron expression: five fields, names, ranges, steps, lists?
 * Errors: KRN_ERR_INVALID  the message names the position and what is wrong
 */
KRN_MUSTCHECK enum krn_err krn_cron_check(struct krn_str expression,
					  struct krn_error *err);

/* "HH:mm", 00:00 to 23:59 */
bool krn_schedule_time_is(struct krn_str text);

/* "1" to "28", or "last_working_day" */
bool krn_schedule_day_of_month_is(struct krn_str text);

/* Parse */

/* Errors: as krn_cron_check */
KRN_MUSTCHECK enum krn_err krn_cron_parse(struct krn_str expression,
					  struct krn_schedule *ret,
					  struct krn_error *err);

/*
 * The schedule of some fields; *ret_is false: they are of none, the campaign
 * is triggered by hand.
 * Errors: KRN_ERR_INVALID  fields that would not have passed the checks
 */
KRN_MUSTCHECK enum krn_err
krn_schedule_parse(const struct krn_schedule_fields *fields,
		   struct krn_schedule *ret, bool *ret_is,
		   struct krn_error *err);

/* Next */

/*
 * The first local time of a schedule after another, or KRN_SCHEDULE_NEVER.
 * Units: local times in microseconds, as if they were UTC.
 */
int64_t krn_schedule_local_next(const struct krn_schedule *schedule,
				int64_t after_us);

/*
 * The first instant of a schedule after another, or KRN_SCHEDULE_NEVER, by the
 * offsets of a zone. A local time that does not exist is the first instant
 * after the gap; one that exists twice is its first instant only.
 */
int64_t krn_schedule_zone_next(const struct krn_schedule *schedule,
			       const struct krn_zone *zone, int64_t after_us);

/*
 * The same in a time zone of PostgreSQL's; with what the clocks show then
 * when ret_local_us is not NULL.
 * Errors: as krn_zone_load
 * Source: sql/stmt/zone_offsets.sql
 */
KRN_MUSTCHECK enum krn_err
krn_schedule_next(struct krn_arena *arena, struct krn_db *db,
		  const struct krn_schedule *schedule, struct krn_str zone_name,
		  int64_t after_us, int64_t *ret_us, int64_t *ret_local_us,
		  struct krn_error *err);

#endif
