/*
 * The next run of a campaign.
 */

#include "base/base.h"

#include "campaign/next_run.h"

#include "base/json_in.h"
#include "schedule/schedule.h"

/* A text member of stored fields; .s NULL: null. */
static struct krn_str
next_run_text(const struct krn_value *stored, const char *name)
{
	const struct krn_value *value = krn_value_find(stored, name);

	return !value || value->type != KRN_VALUE_STRING ? krn_str_from(NULL, 0)
							 : value->string;
}

enum krn_err
krn_next_run(struct krn_arena *arena, struct krn_db *db, struct krn_str fields,
	     int64_t after_us, int64_t *ret_us, struct krn_error *err)
{
	struct krn_schedule schedule;
	struct krn_value stored;
	bool is;
	enum krn_err e;

	if ((e = krn_json_parse(arena, fields, KRN_JSON_DEPTH_MAX, &stored,
				err)))
		return e;
	const struct krn_value *day =
	    krn_value_find(&stored, "scheduleDayOfWeek");
	const struct krn_schedule_fields from = {
	    .type = next_run_text(&stored, "scheduleType"),
	    .time = next_run_text(&stored, "scheduleTime"),
	    .cron = next_run_text(&stored, "scheduleCron"),
	    .day_of_month = next_run_text(&stored, "scheduleDayOfMonth"),
	    .day_of_week =
		!day || day->type != KRN_VALUE_INT ? -1 : day->integer,
	};

	*ret_us = KRN_SCHEDULE_NEVER;
	if ((e = krn_schedule_parse(&from, &schedule, &is, err)))
		return e;
	if (!is || !krn_str_eq_c(next_run_text(&stored, "status"), "active"))
		return KRN_OK;
	return krn_schedule_next(arena, db, &schedule,
				 next_run_text(&stored, "scheduleTimezone"),
				 after_us, ret_us, NULL, err);
}

enum krn_err
krn_next_run_param(struct krn_arena *arena, int64_t next_us,
		   struct krn_param *ret, struct krn_error *err)
{
	*ret = krn_param_null();
	if (next_us == KRN_SCHEDULE_NEVER)
		return KRN_OK;
	*ret = krn_param_time(arena, next_us);
	return ret->value ? KRN_OK : krn_arena_fail(arena, err);
}
