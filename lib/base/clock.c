/*
 * Time: clocks, the proleptic Gregorian calendar, ISO 8601.
 */

#include "base/base.h"

#include "base/clock.h"

static int64_t
clock_read_us(clockid_t clock)
{
	struct timespec now;

	KRN_BUG_IF(clock_gettime(clock, &now) != 0);
	return (int64_t)now.tv_sec * KRN_US_PER_SECOND + now.tv_nsec / 1000;
}

int64_t
krn_clock_us(void)
{
	return clock_read_us(CLOCK_REALTIME);
}

int64_t
krn_clock_monotonic_us(void)
{
	return clock_read_us(CLOCK_MONOTONIC);
}

/* Days since 1970-01-01. Source: Howard Hinnant, days_from_civil. */
static int64_t
civil_to_days(int64_t year, int64_t month, int64_t day)
{
	year -= month <= 2;
	const int64_t era = (year >= 0 ? year : year - 399) / 400;
	const int64_t of_era = year - era * 400;
	const int64_t of_year =
	    (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	const int64_t day_of_era =
	    of_era * 365 + of_era / 4 - of_era / 100 + of_year;

	return era * 146097 + day_of_era - 719468;
}

static void
civil_from_days(int64_t days, struct krn_civil *civil)
{
	days += 719468;
	const int64_t era = (days >= 0 ? days : days - 146096) / 146097;
	const int64_t of_era = days - era * 146097;
	const int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 -
				     of_era / 146096) /
				    365;
	const int64_t of_year =
	    of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	const int64_t shifted = (5 * of_year + 2) / 153;

	civil->day = (int)(of_year - (153 * shifted + 2) / 5 + 1);
	civil->month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
	civil->year = (int)(year_of_era + era * 400 + (civil->month <= 2));
}

void
krn_pause_ms(int64_t ms)
{
	const struct timespec pause = {.tv_sec = (time_t)(ms / 1000),
				       .tv_nsec = (long)(ms % 1000) * 1000000};

	(void)!nanosleep(&pause, NULL);
}

struct krn_civil
krn_civil_from_us(int64_t us)
{
	struct krn_civil civil;
	int64_t days = us / KRN_US_PER_DAY;
	int64_t rest = us % KRN_US_PER_DAY;

	if (rest < 0) {
		rest += KRN_US_PER_DAY;
		days--;
	}
	civil_from_days(days, &civil);
	civil.microsecond = (int)(rest % KRN_US_PER_SECOND);
	rest /= KRN_US_PER_SECOND;
	civil.second = (int)(rest % 60);
	civil.minute = (int)(rest / 60 % 60);
	civil.hour = (int)(rest / 3600);
	civil.weekday = (int)(((days + 4) % 7 + 7) % 7);
	return civil;
}

int64_t
krn_civil_to_us(const struct krn_civil *civil)
{
	const int64_t seconds =
	    (int64_t)civil->hour * 3600 + civil->minute * 60 + civil->second;

	return civil_to_days(civil->year, civil->month, civil->day) *
		   KRN_US_PER_DAY +
	       seconds * KRN_US_PER_SECOND + civil->microsecond;
}

/* A number's last `digits` digits, at `to`. */
static void
time_digits(char *to, int number, size_t digits)
{
	while (digits--) {
		to[digits] = (char)('0' + number % 10);
		number /= 10;
	}
}

void
krn_time_format(int64_t us, char ret_text[KRN_TIME_TEXT_BYTES])
{
	const struct krn_civil c = krn_civil_from_us(us);

	/* by hand: whole logs and exports are made of it */
	memcpy(ret_text, "0000-00-00T00:00:00.000Z", KRN_TIME_TEXT_BYTES);
	time_digits(ret_text, c.year, 4);
	time_digits(ret_text + 5, c.month, 2);
	time_digits(ret_text + 8, c.day, 2);
	time_digits(ret_text + 11, c.hour, 2);
	time_digits(ret_text + 14, c.minute, 2);
	time_digits(ret_text + 17, c.second, 2);
	time_digits(ret_text + 20, c.microsecond / 1000, 3);
}

/* Take exactly `digits` digits off the front. */
static bool
time_number(struct krn_str *rest, size_t digits, int min, int max, int *ret)
{
	int value = 0;

	if (rest->len < digits)
		return false;
	for (size_t i = 0; i < digits; i++) {
		if (rest->s[i] < '0' || rest->s[i] > '9')
			return false;
		value = value * 10 + (rest->s[i] - '0');
	}
	rest->s += digits;
	rest->len -= digits;
	*ret = value;
	return value >= min && value <= max;
}

static bool
time_char(struct krn_str *rest, const char *any)
{
	if (!rest->len || !rest->s[0] || !strchr(any, rest->s[0]))
		return false;
	rest->s++;
	rest->len--;
	return true;
}

/* ".5" and longer; digits beyond microseconds are dropped */
static bool
time_fraction(struct krn_str *rest, int *ret_microsecond)
{
	int value = 0;
	size_t nr = 0;

	*ret_microsecond = 0;
	if (!time_char(rest, "."))
		return true;
	for (; rest->len && rest->s[0] >= '0' && rest->s[0] <= '9'; nr++) {
		if (nr < 6)
			value = value * 10 + (rest->s[0] - '0');
		rest->s++;
		rest->len--;
	}
	for (size_t i = nr; i < 6; i++)
		value *= 10;
	*ret_microsecond = value;
	return nr > 0;
}

/* "Z", "+00", "+05:30", "-0930" */
static bool
time_offset(struct krn_str *rest, int64_t *ret_seconds)
{
	int hours, minutes = 0, seconds = 0;

	*ret_seconds = 0;
	if (time_char(rest, "Zz"))
		return true;
	const bool minus = rest->len && rest->s[0] == '-';

	if (!time_char(rest, "+-") || !time_number(rest, 2, 0, 23, &hours))
		return false;
	if (rest->len) {
		time_char(rest, ":");
		if (!time_number(rest, 2, 0, 59, &minutes))
			return false;
	}
	if (rest->len &&
	    (!time_char(rest, ":") || !time_number(rest, 2, 0, 59, &seconds)))
		return false;
	*ret_seconds = (int64_t)hours * 3600 + minutes * 60 + seconds;
	if (minus)
		*ret_seconds = -*ret_seconds;
	return true;
}

static int
civil_days_in_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30,
				   31, 31, 30, 31, 30, 31};
	const bool leap =
	    (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month == 2 && leap ? 29 : days[month - 1];
}

enum krn_err
krn_time_parse(struct krn_str text, int64_t *ret_us, struct krn_error *err)
{
	struct krn_civil c = {0};
	struct krn_str rest = text;
	int64_t offset;

	if (time_number(&rest, 4, 1, 9999, &c.year) && time_char(&rest, "-") &&
	    time_number(&rest, 2, 1, 12, &c.month) && time_char(&rest, "-") &&
	    time_number(&rest, 2, 1, 31, &c.day) &&
	    c.day <= civil_days_in_month(c.year, c.month) &&
	    time_char(&rest, "Tt ") && time_number(&rest, 2, 0, 23, &c.hour) &&
	    time_char(&rest, ":") && time_number(&rest, 2, 0, 59, &c.minute) &&
	    time_char(&rest, ":") && time_number(&rest, 2, 0, 59, &c.second) &&
	    time_fraction(&rest, &c.microsecond) &&
	    time_offset(&rest, &offset) && rest.len == 0) {
		*ret_us = krn_civil_to_us(&c) - offset * KRN_US_PER_SECOND;
		return KRN_OK;
	}
	return krn_refuse(err, KRN_ERR_INVALID,
			  "must be a time such as 2026-03-30T02:00:00.000Z");
}
