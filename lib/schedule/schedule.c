/*
 * Cron expressions and times of day, and the masks that they mean.
 */

#include "base/base.h"

#include "schedule/schedule.h"

struct cron_field {
	const char *name;
	int64_t min, max;
	const char *const *names; /* of min, min + 1, …; or NULL */
};

static const char *const cron_months[] = {"jan", "feb", "mar", "apr", "may",
					  "jun", "jul", "aug", "sep", "oct",
					  "nov", "dec", NULL};
static const char *const cron_days[] = {"sun", "mon", "tue", "wed",
					"thu", "fri", "sat", NULL};

static const struct cron_field cron_fields[] = {
    {"minute", 0, 59, NULL},          {"hour", 0, 23, NULL},
    {"day of month", 1, 31, NULL},    {"month", 1, 12, cron_months},
    {"day of week", 0, 7, cron_days},
};

/* A number or a name of the field. */
static bool
cron_value(const struct cron_field *field, struct krn_str text, int64_t *ret)
{
	if (krn_parse_int64(text, field->min, field->max, ret, NULL) == KRN_OK)
		return text.s[0] != '-';
	for (size_t i = 0; field->names && field->names[i]; i++) {
		if (krn_str_eq_nocase(text, krn_str_c(field->names[i]))) {
			*ret = field->min + (int64_t)i;
			return true;
		}
	}
	return false;
}

/* "*", "5", "1-5", all but a single value with "/2": into *mask. */
static bool
cron_item(const struct cron_field *field, struct krn_str item, uint64_t *mask)
{
	const ptrdiff_t slash = krn_str_find_char(item, '/');
	int64_t from = field->min, to = field->max, step = 1;

	if (slash >= 0) {
		const struct krn_str text = krn_str_from(
		    item.s + slash + 1, item.len - (size_t)slash - 1);

		if (krn_parse_int64(text, 1, field->max, &step, NULL))
			return false;
		item.len = (size_t)slash;
	}
	if (!krn_str_eq_c(item, "*")) {
		const ptrdiff_t dash = krn_str_find_char(item, '-');

		if (dash > 0) {
			if (!cron_value(field,
					krn_str_from(item.s, (size_t)dash),
					&from) ||
			    !cron_value(
				field,
				krn_str_from(item.s + dash + 1,
					     item.len - (size_t)dash - 1),
				&to) ||
			    from > to)
				return false;
		} else {
			/* a step needs something to step through */
			if (slash >= 0 || !cron_value(field, item, &from))
				return false;
			to = from;
		}
	}
	for (int64_t value = from; value <= to; value += step)
		*mask |= UINT64_C(1) << value;
	return true;
}

/* The masks of five fields as a schedule. */
static void
cron_schedule(const uint64_t *masks, const bool *any, struct krn_schedule *ret)
{
	*ret = (struct krn_schedule){
	    .minutes = masks[0],
	    .hours = (uint32_t)masks[1],
	    .days = (uint32_t)masks[2],
	    .months = (uint32_t)masks[3],
	    /* 7 is Sunday too */
	    .weekdays = (uint32_t)((masks[4] | masks[4] >> 7) & 0x7f),
	    .either_day = !any[2] && !any[4],
	};
}

enum krn_err
krn_cron_parse(struct krn_str expression, struct krn_schedule *ret,
	       struct krn_error *err)
{
	struct krn_str rest = expression, field, item;
	uint64_t masks[KRN_NR(cron_fields)] = {0};
	bool any[KRN_NR(cron_fields)] = {false};
	size_t nr = 0;

	while (krn_str_split(&rest, ' ', &field)) {
		if (field.len == 0)
			continue;
		if (nr == KRN_NR(cron_fields))
			return krn_refuse(err, KRN_ERR_INVALID,
					  "position %zu: more than five fields",
					  (size_t)(field.s - expression.s) + 1);
		/* also of a step through all. Source: crontab(5) */
		any[nr] = field.s[0] == '*';
		while (krn_str_split(&field, ',', &item))
			if (!cron_item(&cron_fields[nr], item, &masks[nr]))
				return krn_refuse(
				    err, KRN_ERR_INVALID,
				    "position %zu: not a valid %s",
				    (size_t)(item.s - expression.s) + 1,
				    cron_fields[nr].name);
		nr++;
	}
	if (nr < KRN_NR(cron_fields))
		return krn_refuse(err, KRN_ERR_INVALID,
				  "position %zu: a cron expression has five "
				  "fields",
				  expression.len + 1);
	cron_schedule(masks, any, ret);
	return KRN_OK;
}

enum krn_err
krn_cron_check(struct krn_str expression, struct krn_error *err)
{
	struct krn_schedule schedule;

	return krn_cron_parse(expression, &schedule, err);
}

/* "HH:mm" */
static bool
schedule_time(struct krn_str text, int64_t *ret_hour, int64_t *ret_minute)
{
	return text.len == 5 && text.s[2] == ':' && text.s[0] != '-' &&
	       text.s[3] != '-' &&
	       krn_parse_int64(krn_str_from(text.s, 2), 0, 23, ret_hour,
			       NULL) == KRN_OK &&
	       krn_parse_int64(krn_str_from(text.s + 3, 2), 0, 59, ret_minute,
			       NULL) == KRN_OK;
}

bool
krn_schedule_time_is(struct krn_str text)
{
	int64_t hour, minute;

	return schedule_time(text, &hour, &minute);
}

bool
krn_schedule_day_of_month_is(struct krn_str text)
{
	int64_t day;

	return krn_str_eq_c(text, "last_working_day") ||
	       (text.len <= 2 && text.len && text.s[0] != '0' &&
		krn_parse_int64(text, 1, 28, &day, NULL) == KRN_OK);
}

/* The days of a schedule that is not cron's. */
static enum krn_err
schedule_days(const struct krn_schedule_fields *fields,
	      struct krn_schedule *schedule, struct krn_error *err)
{
	int64_t day;

	if (krn_str_eq_c(fields->type, "daily"))
		return KRN_OK;
	if (krn_str_eq_c(fields->type, "weekly")) {
		if (fields->day_of_week < 0 || fields->day_of_week > 6)
			return krn_refuse(err, KRN_ERR_INVALID,
					  "the day of the week must be 0 "
					  "(Sunday) to 6");
		schedule->weekdays = UINT32_C(1) << fields->day_of_week;
		return KRN_OK;
	}
	if (!krn_str_eq_c(fields->type, "monthly"))
		return krn_refuse(err, KRN_ERR_INVALID,
				  "the type must be daily, weekly or monthly");
	if (!krn_schedule_day_of_month_is(fields->day_of_month))
		return krn_refuse(err, KRN_ERR_INVALID,
				  "the day of the month must be 1 to 28 or "
				  "last_working_day");
	if (krn_parse_int64(fields->day_of_month, 1, 28, &day, NULL) == KRN_OK)
		schedule->days = UINT32_C(1) << day;
	else
		schedule->last_working_day = true;
	return KRN_OK;
}

enum krn_err
krn_schedule_parse(const struct krn_schedule_fields *fields,
		   struct krn_schedule *ret, bool *ret_is,
		   struct krn_error *err)
{
	struct krn_schedule schedule = {
	    .days = UINT32_MAX, .months = UINT32_MAX, .weekdays = UINT32_MAX};
	int64_t hour, minute;
	enum krn_err e;

	if (krn_str_eq_c(fields->type, "manual")) {
		if (fields->cron.s &&
		    (e = krn_cron_parse(fields->cron, ret, err)))
			return e;
		*ret_is = fields->cron.s != NULL;
		return KRN_OK;
	}
	if (!schedule_time(fields->time, &hour, &minute))
		return krn_refuse(err, KRN_ERR_INVALID,
				  "the time must be HH:mm, 00:00 to 23:59");
	if ((e = schedule_days(fields, &schedule, err)))
		return e;
	schedule.hours = UINT32_C(1) << hour;
	schedule.minutes = UINT64_C(1) << minute;
	*ret = schedule;
	*ret_is = true;
	return KRN_OK;
}
