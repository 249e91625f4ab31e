/* When schedules fire: calendars, and clocks that change. */

#include "base/base.h"

#include "t/unit/random.h"
#include "t/unit/schedule_case.h"

/* "daily 09:00", "weekly 09:00 5", "monthly 09:00 last_working_day", or cron */
static struct krn_schedule
schedule_of(const char *text)
{
	struct krn_str rest = krn_str_c(text), day = {NULL, 0};
	struct krn_schedule_fields fields = {.day_of_week = -1};
	struct krn_schedule schedule;
	bool is = false;

	if (text[0] < 'a')
		return cron(text);
	assert_true(krn_str_split(&rest, ' ', &fields.type));
	assert_true(krn_str_split(&rest, ' ', &fields.time));
	if (krn_str_split(&rest, ' ', &day))
		fields.day_of_month = day;
	if (krn_str_eq_c(fields.type, "weekly"))
		fields.day_of_week = day.s[0] - '0';
	assert_int_equal(krn_schedule_parse(&fields, &schedule, &is, NULL), 0);
	assert_true(is);
	return schedule;
}

/* Zones, as offsets in minutes from instants on */

struct change {
	const char *at;
	int minutes;
};

/* clang-format off */
static const struct change new_york[] = {
    {"2025-11-02T06:00:00Z", -300}, {"2026-03-08T07:00:00Z", -240}, {"2026-11-01T06:00:00Z", -300}, {NULL, 0}};
static const struct change london[] = {
    {"2025-10-26T01:00:00Z", 0}, {"2026-03-29T01:00:00Z", 60}, {"2026-10-25T01:00:00Z", 0}, {NULL, 0}};
/* half an hour */
static const struct change lord_howe[] = {
    {"2025-10-04T15:30:00Z", 660}, {"2026-04-04T15:00:00Z", 630}, {"2026-10-03T15:30:00Z", 660}, {NULL, 0}};
/* an hour less during Ramadan */
static const struct change casablanca[] = {
    {"2025-04-06T02:00:00Z", 60}, {"2026-02-15T02:00:00Z", 0}, {"2026-03-22T02:00:00Z", 60}, {NULL, 0}};
/* without 30 December 2011 */
static const struct change apia[] = {{"2011-09-24T14:00:00Z", -600}, {"2011-12-30T10:00:00Z", 840}, {NULL, 0}};
/* clang-format on */

static struct krn_zone
zone_of(const struct change *changes)
{
	static struct krn_zone_offset offsets[8];
	struct krn_zone zone = {.offsets = offsets};

	for (; changes[zone.nr].at; zone.nr++)
		offsets[zone.nr] = (struct krn_zone_offset){
		    at(changes[zone.nr].at),
		    changes[zone.nr].minutes * MINUTE_US};
	return zone;
}

static void
test_zones(void **state KRN_UNUSED)
{
	static const struct {
		const struct change *zone;
		const char *schedule, *from, *next, *after_that;
	} cases[] = {
	    /* clang-format off */
	    /* 02:00 to 03:00 is not there */
	    {new_york, "daily 02:30", "2026-03-07T08:00:00Z", "2026-03-08T07:00:00", "2026-03-09T06:30:00"},
	    {new_york, "daily 02:00", "2026-03-07T08:00:00Z", "2026-03-08T07:00:00", "2026-03-09T06:00:00"},
	    {new_york, "daily 03:00", "2026-03-07T08:00:00Z", "2026-03-08T07:00:00", "2026-03-09T07:00:00"},
	    {new_york, "daily 01:59", "2026-03-07T08:00:00Z", "2026-03-08T06:59:00", "2026-03-09T05:59:00"},
	    {new_york, "weekly 02:30 0", "2026-03-07T08:00:00Z", "2026-03-08T07:00:00", "2026-03-15T06:30:00"},
	    {new_york, "monthly 02:30 8", "2026-03-07T08:00:00Z", "2026-03-08T07:00:00", "2026-04-08T06:30:00"},
	    /* four of them at once: one */
	    {new_york, "*/15 * * * *", "2026-03-08T06:30:00Z", "2026-03-08T06:45:00", "2026-03-08T07:00:00"},
	    {new_york, "*/15 * * * *", "2026-03-08T06:45:00Z", "2026-03-08T07:00:00", "2026-03-08T07:15:00"},
	    {new_york, "30 2,3 * * *", "2026-03-08T06:00:00Z", "2026-03-08T07:00:00", "2026-03-08T07:30:00"},
	    /* 01:00 to 02:00 is there twice */
	    {new_york, "daily 01:30", "2026-10-31T12:00:00Z", "2026-11-01T05:30:00", "2026-11-02T06:30:00"},
	    {new_york, "daily 01:30", "2026-11-01T05:29:59Z", "2026-11-01T05:30:00", "2026-11-02T06:30:00"},
	    {new_york, "daily 01:30", "2026-11-01T06:10:00Z", "2026-11-02T06:30:00", "2026-11-03T06:30:00"},
	    {new_york, "daily 01:00", "2026-10-31T12:00:00Z", "2026-11-01T05:00:00", "2026-11-02T06:00:00"},
	    {new_york, "daily 02:00", "2026-10-31T12:00:00Z", "2026-11-01T07:00:00", "2026-11-02T07:00:00"},
	    {new_york, "*/30 * * * *", "2026-11-01T05:00:00Z", "2026-11-01T05:30:00", "2026-11-01T07:00:00"},
	    {new_york, "*/30 * * * *", "2026-11-01T06:30:00Z", "2026-11-01T07:00:00", "2026-11-01T07:30:00"},
	    {new_york, "0 9 * * 1", "2026-03-02T14:00:00Z", "2026-03-09T13:00:00", "2026-03-16T13:00:00"},

	    {london, "daily 01:30", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00", "2026-03-30T00:30:00"},
	    {london, "daily 00:59", "2026-03-28T12:00:00Z", "2026-03-29T00:59:00", "2026-03-29T23:59:00"},
	    {london, "daily 02:00", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00", "2026-03-30T01:00:00"},
	    {london, "daily 01:30", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00", "2026-10-26T01:30:00"},
	    {london, "daily 01:00", "2026-10-24T12:00:00Z", "2026-10-25T00:00:00", "2026-10-26T01:00:00"},
	    {london, "daily 00:59", "2026-10-24T12:00:00Z", "2026-10-24T23:59:00", "2026-10-26T00:59:00"},
	    {london, "daily 02:00", "2026-10-24T12:00:00Z", "2026-10-25T02:00:00", "2026-10-26T02:00:00"},

	    {lord_howe, "daily 02:15", "2026-10-02T20:00:00Z", "2026-10-03T15:30:00", "2026-10-04T15:15:00"},
	    {lord_howe, "daily 02:30", "2026-10-02T20:00:00Z", "2026-10-03T15:30:00", "2026-10-04T15:30:00"},
	    {lord_howe, "daily 02:45", "2026-10-02T20:00:00Z", "2026-10-03T15:45:00", "2026-10-04T15:45:00"},
	    {lord_howe, "daily 01:45", "2026-04-03T20:00:00Z", "2026-04-04T14:45:00", "2026-04-05T15:15:00"},
	    {lord_howe, "daily 01:29", "2026-04-03T20:00:00Z", "2026-04-04T14:29:00", "2026-04-05T14:59:00"},
	    {lord_howe, "daily 02:00", "2026-04-03T20:00:00Z", "2026-04-04T15:30:00", "2026-04-05T15:30:00"},

	    {casablanca, "daily 02:30", "2026-02-14T12:00:00Z", "2026-02-15T01:30:00", "2026-02-16T02:30:00"},
	    {casablanca, "daily 03:00", "2026-02-14T12:00:00Z", "2026-02-15T03:00:00", "2026-02-16T03:00:00"},
	    {casablanca, "daily 02:30", "2026-03-21T12:00:00Z", "2026-03-22T02:00:00", "2026-03-23T01:30:00"},
	    {casablanca, "daily 09:00", "2026-03-21T12:00:00Z", "2026-03-22T08:00:00", "2026-03-23T08:00:00"},

	    {apia, "daily 09:00", "2011-12-29T20:00:00Z", "2011-12-30T10:00:00", "2011-12-30T19:00:00"},
	    {apia, "daily 00:00", "2011-12-29T20:00:00Z", "2011-12-30T10:00:00", "2011-12-31T10:00:00"},
	    {apia, "weekly 09:00 5", "2011-12-29T20:00:00Z", "2011-12-30T10:00:00", "2012-01-05T19:00:00"},
	    {apia, "weekly 09:00 6", "2011-12-29T20:00:00Z", "2011-12-30T19:00:00", "2012-01-06T19:00:00"},
	    {apia, "monthly 09:00 last_working_day", "2011-12-29T20:00:00Z", "2011-12-30T10:00:00", "2012-01-30T19:00:00"},
	    {apia, "0 */6 30 * *", "2011-12-29T20:00:00Z", "2011-12-30T10:00:00", "2012-01-29T10:00:00"},
	    /* clang-format on */
	};

	for (size_t i = 0; i < KRN_NR(cases); i++) {
		const struct krn_schedule schedule =
		    schedule_of(cases[i].schedule);
		const struct krn_zone zone = zone_of(cases[i].zone);
		char where[100];
		int64_t us;

		snprintf(where, sizeof(where), "%s from %s", cases[i].schedule,
			 cases[i].from);
		us =
		    krn_schedule_zone_next(&schedule, &zone, at(cases[i].from));
		assert_time(us, cases[i].next, where);
		us = krn_schedule_zone_next(&schedule, &zone, us);
		assert_time(us, cases[i].after_that, where);
	}
}

/* Random offsets against clocks that are looked at every minute. */
static void
test_zones_random(void **state KRN_UNUSED)
{
	const int64_t begin = at("2026-01-01T00:00:00Z");

	for (uint64_t seed = 1; seed <= 200; seed++) {
		struct krn_zone_offset offsets[4];
		const struct krn_zone zone = {offsets, KRN_NR(offsets)};
		int64_t latest = INT64_MIN, us = begin;

		random_state = seed;
		for (size_t i = 0; i < zone.nr; i++) {
			offsets[i].at_us = us;
			offsets[i].offset_us =
			    (random_below(9) - 4) * 15 * MINUTE_US;
			us += (1 + random_below(300)) * MINUTE_US;
		}
		for (int64_t minute = -100; minute < 1200; minute++) {
			us = begin + minute * MINUTE_US;
			const int64_t local = krn_zone_local(&zone, us);
			const int64_t before = latest;

			if (local > latest)
				latest = local;
			/* all that the clocks show now for the first time */
			for (int64_t l = before == INT64_MIN
					     ? local
					     : before + MINUTE_US;
			     l <= local; l += MINUTE_US)
				assert_int_equal(krn_zone_instant(&zone, l),
						 us);
			/* between minutes they have shown one less a
			 * microsecond */
			assert_in_range(krn_zone_local_latest(&zone, us) -
					    latest,
					0, MINUTE_US - 1);
		}
	}
}

/* Calendar */

static int
month_days(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30,
				   31, 31, 30, 31, 30, 31};

	return month == 2 &&
		       ((year % 4 == 0 && year % 100 != 0) || year % 400 == 0)
		   ? 29
		   : days[month - 1];
}

static void
test_last_working_day(void **state KRN_UNUSED)
{
	const struct krn_schedule schedule =
	    schedule_of("monthly 18:05 last_working_day");
	int64_t us = at("2009-12-31T20:00:00Z");
	int weekday = 5; /* 1 January 2010 was a Friday */

	for (int year = 2010; year < 2040; year++)
		for (int month = 1; month <= 12; month++) {
			char want[64];
			int last = 0;

			for (int day = 1; day <= month_days(year, month);
			     day++) {
				if (weekday != 0 && weekday != 6)
					last = day;
				weekday = (weekday + 1) % 7;
			}
			snprintf(want, sizeof(want),
				 "%04d-%02d-%02dT18:05:00.000Z", year, month,
				 last);
			us = krn_schedule_local_next(&schedule, us);
			assert_time(us, want, "last working day");
		}
}

static void
test_plain(void **state KRN_UNUSED)
{
	static const struct {
		const char *schedule, *from, *next;
	} cases[] = {
	    /* clang-format off */
	    {"daily 09:00", "2026-05-01T08:59:59.999999Z", "2026-05-01T09:00:00"},
	    {"daily 09:00", "2026-05-01T09:00:00Z", "2026-05-02T09:00:00"},
	    {"daily 09:00", "2026-05-01T09:00:00.000001Z", "2026-05-02T09:00:00"},
	    {"daily 00:00", "2026-12-31T00:00:00Z", "2027-01-01T00:00:00"},
	    {"daily 23:59", "2028-02-29T23:59:00Z", "2028-03-01T23:59:00"},
	    {"daily 12:00", "1969-12-30T12:00:00Z", "1969-12-31T12:00:00"},
	    {"weekly 09:00 1", "2026-05-01T00:00:00Z", "2026-05-04T09:00:00"},
	    {"weekly 09:00 0", "2026-05-03T08:00:00Z", "2026-05-03T09:00:00"},
	    {"weekly 09:00 0", "2026-05-03T09:00:00Z", "2026-05-10T09:00:00"},
	    {"weekly 09:00 6", "1900-02-24T10:00:00Z", "1900-03-03T09:00:00"},
	    {"monthly 09:00 1", "2026-05-01T09:00:00Z", "2026-06-01T09:00:00"},
	    {"monthly 09:00 28", "2027-01-28T09:00:00Z", "2027-02-28T09:00:00"},
	    {"monthly 09:00 28", "2026-12-28T09:00:00Z", "2027-01-28T09:00:00"},
	    {"monthly 09:00 last_working_day", "2026-05-29T08:00:00Z", "2026-05-29T09:00:00"},
	    {"monthly 09:00 last_working_day", "2026-05-29T09:00:00Z", "2026-06-30T09:00:00"},
	    {"monthly 09:00 last_working_day", "2028-02-01T00:00:00Z", "2028-02-29T09:00:00"},
	    /* clang-format on */
	};

	for (size_t i = 0; i < KRN_NR(cases); i++) {
		const struct krn_schedule schedule =
		    schedule_of(cases[i].schedule);

		assert_time(
		    krn_schedule_local_next(&schedule, at(cases[i].from)),
		    cases[i].next, cases[i].schedule);
	}
}

/* Fields */

static void
test_fields(void **state KRN_UNUSED)
{
	static const struct {
		const char *type, *time, *cron, *day_of_month;
		int64_t day_of_week;
		bool ok, is;
	} cases[] = {
	    /* clang-format off */
	    {"manual", "09:00", NULL, NULL, -1, true, false},
	    {"manual", "09:00", "0 9 * * *", NULL, -1, true, true},
	    {"manual", "09:00", "0 9 * *", NULL, -1, false, false},
	    {"daily", "09:00", NULL, NULL, -1, true, true},
	    {"daily", "9:00", NULL, NULL, -1, false, false},
	    {"daily", "24:00", NULL, NULL, -1, false, false},
	    {"weekly", "09:00", NULL, NULL, 6, true, true},
	    {"weekly", "09:00", NULL, NULL, -1, false, false},
	    {"weekly", "09:00", NULL, NULL, 7, false, false},
	    {"monthly", "09:00", NULL, "28", -1, true, true},
	    {"monthly", "09:00", NULL, "last_working_day", -1, true, true},
	    {"monthly", "09:00", NULL, "29", -1, false, false},
	    {"monthly", "09:00", NULL, NULL, -1, false, false},
	    {"hourly", "09:00", NULL, NULL, -1, false, false},
	    /* clang-format on */
	};

	for (size_t i = 0; i < KRN_NR(cases); i++) {
		const struct krn_schedule_fields fields = {
		    .type = krn_str_c(cases[i].type),
		    .time = krn_str_c(cases[i].time),
		    .cron = cases[i].cron ? krn_str_c(cases[i].cron)
					  : krn_str_from(NULL, 0),
		    .day_of_month = cases[i].day_of_month
					? krn_str_c(cases[i].day_of_month)
					: krn_str_from(NULL, 0),
		    .day_of_week = cases[i].day_of_week,
		};
		struct krn_schedule schedule;
		bool is = false;

		assert_int_equal(
		    krn_schedule_parse(&fields, &schedule, &is, NULL),
		    cases[i].ok ? KRN_OK : KRN_ERR_INVALID);
		assert_int_equal(is, cases[i].is);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_zones),
	    cmocka_unit_test(test_zones_random),
	    cmocka_unit_test(test_last_working_day),
	    cmocka_unit_test(test_plain),
	    cmocka_unit_test(test_fields),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
