/*
 * Cron expressions and times of day.
 */

#include "base/base.h"

#include "campaign/schedule.h"

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
    {"minute", 0, 59, NULL},
    {"hour", 0, 23, NULL},
    {"day of month", 1, 31, NULL},
    {"month", 1, 12, cron_months},
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

/* "*", "5", "1-5", each with "/2" */
static bool
cron_item(const struct cron_field *field, struct krn_str item)
{
	const ptrdiff_t slash = krn_str_find_char(item, '/');
	int64_t from, to, step;

	if (slash >= 0) {
		const struct krn_str text =
		    krn_str_from(item.s + slash + 1,
				 item.len - (size_t)slash - 1);

		if (krn_parse_int64(text, 1, field->max, &step, NULL))
			return false;
		item.len = (size_t)slash;
	}
	if (krn_str_eq_c(item, "*"))
		return true;
	const ptrdiff_t dash = krn_str_find_char(item, '-');

	/* a step needs something to step through */
	if (dash <= 0)
		return slash < 0 && cron_value(field, item, &from);
	return cron_value(field, krn_str_from(item.s, (size_t)dash), &from) &&
	       cron_value(field,
			  krn_str_from(item.s + dash + 1,
				       item.len - (size_t)dash - 1),
			  &to) &&
	       from <= to;
}

enum krn_err
krn_cron_check(struct krn_str expression, struct krn_error *err)
{
	struct krn_str rest = expression, field, item;
	size_t nr = 0;

	while (krn_str_split(&rest, ' ', &field)) {
		if (field.len == 0)
			continue;
		if (nr == KRN_NR(cron_fields))
			return krn_refuse(err, KRN_ERR_INVALID,
					  "position %zu: more than five fields",
					  (size_t)(field.s - expression.s) + 1);
		while (krn_str_split(&field, ',', &item))
			if (!cron_item(&cron_fields[nr], item))
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
	return KRN_OK;
}

bool
krn_schedule_time_is(struct krn_str text)
{
	int64_t hour, minute;

	return text.len == 5 && text.s[2] == ':' && text.s[0] != '-' &&
	       text.s[3] != '-' &&
	       krn_parse_int64(krn_str_from(text.s, 2), 0, 23, &hour, NULL) ==
		   KRN_OK &&
	       krn_parse_int64(krn_str_from(text.s + 3, 2), 0, 59, &minute,
			       NULL) == KRN_OK;
}

bool
krn_schedule_day_of_month_is(struct krn_str text)
{
	int64_t day;

	return krn_str_eq_c(text, "last_working_day") ||
	       (text.len <= 2 && text.len && text.s[0] != '0' &&
		krn_parse_int64(text, 1, 28, &day, NULL) == KRN_OK);
}
