/* Cron expressions: what they mean, what is refused. */

#include "base/base.h"

#include "t/unit/random.h"
#include "t/unit/schedule_case.h"

static const struct krn_zone_offset utc = {0, 0};

static void
test_cron(void **state KRN_UNUSED)
{
	/* 1 May 2026 is a Friday */
	static const struct {
		const char *expression, *from, *next;
	} cases[] = {
	    /* clang-format off */
	    {"* * * * *", "2026-05-01T00:00:00Z", "2026-05-01T00:01:00"},
	    {"* * * * *", "2026-12-31T23:59:59.999999Z", "2027-01-01T00:00:00"},
	    {"0 9 * * 1", "2026-05-01T00:00:00Z", "2026-05-04T09:00:00"},
	    {"0 9 * * MON-FRI", "2026-05-01T09:00:00Z", "2026-05-04T09:00:00"},
	    {"0 9 * * 7", "2026-05-01T00:00:00Z", "2026-05-03T09:00:00"},
	    {"0 9 * * 0", "2026-05-01T00:00:00Z", "2026-05-03T09:00:00"},
	    {"0 9 * * sun", "2026-05-01T00:00:00Z", "2026-05-03T09:00:00"},
	    {"0 9 * * 6-7", "2026-05-02T09:00:00Z", "2026-05-03T09:00:00"},
	    {"*/25 * * * *", "2026-05-01T00:25:00Z", "2026-05-01T00:50:00"},
	    {"*/25 * * * *", "2026-05-01T00:50:00Z", "2026-05-01T01:00:00"},
	    {"10-50/20 8-10/2 * * *", "2026-05-01T08:50:00Z", "2026-05-01T10:10:00"},
	    {"5,3,59 23 * * *", "2026-05-01T23:05:00Z", "2026-05-01T23:59:00"},
	    {"59 23 31 DEC *", "2026-12-31T23:59:00Z", "2027-12-31T23:59:00"},
	    {"0 0 1 jan,Jul *", "2026-05-01T00:00:00Z", "2026-07-01T00:00:00"},
	    {"0 0 31 * *", "2026-05-31T00:00:00Z", "2026-07-31T00:00:00"},
	    {"0 0 29 2 *", "2026-05-01T00:00:00Z", "2028-02-29T00:00:00"},
	    {"0 0 29 2 *", "2096-02-29T00:00:00Z", "2104-02-29T00:00:00"},
	    {"0 0 30 2,4 *", "2026-05-01T00:00:00Z", "2027-04-30T00:00:00"},
	    {"  0   0 1 * *  ", "2026-05-01T00:00:00Z", "2026-06-01T00:00:00"},
	    /* both restricted: either; begins with "*": both */
	    {"0 0 13 * 5", "2026-05-01T00:00:00Z", "2026-05-08T00:00:00"},
	    {"0 0 13 * 5", "2026-05-08T00:00:00Z", "2026-05-13T00:00:00"},
	    {"0 0 1-31 * 5", "2026-05-01T00:00:00Z", "2026-05-02T00:00:00"},
	    {"0 0 13 * 0-6", "2026-05-01T00:00:00Z", "2026-05-02T00:00:00"},
	    {"0 0 * * 5", "2026-05-01T00:00:00Z", "2026-05-08T00:00:00"},
	    {"0 0 13 * *", "2026-05-01T00:00:00Z", "2026-05-13T00:00:00"},
	    {"0 0 */2 * 5", "2026-05-01T00:00:00Z", "2026-05-15T00:00:00"},
	    {"0 0 13 * */5", "2026-05-01T00:00:00Z", "2026-09-13T00:00:00"},
	    {"0 0 29 2 */7", "2026-05-01T00:00:00Z", "2032-02-29T00:00:00"},
	    {"0 0 29 2 */7", "2088-02-29T00:00:00Z", "2128-02-29T00:00:00"},
	    /* impossible */
	    {"0 0 30 2 *", "2026-05-01T00:00:00Z", "never"},
	    {"0 0 31 2,4,6,9,11 *", "2026-05-01T00:00:00Z", "never"},
	    {"* * 30-31 FEB *", "1970-01-01T00:00:00Z", "never"},
	    /* but either day is enough */
	    {"0 0 30 2 1", "2026-05-01T00:00:00Z", "2027-02-01T00:00:00"},
	    /* clang-format on */
	};

	for (size_t i = 0; i < KRN_NR(cases); i++) {
		const struct krn_schedule schedule = cron(cases[i].expression);
		const struct krn_zone zone = {&utc, 1};
		const int64_t from = at(cases[i].from);

		assert_time(krn_schedule_local_next(&schedule, from),
			    cases[i].next, cases[i].expression);
		assert_time(krn_schedule_zone_next(&schedule, &zone, from),
			    cases[i].next, cases[i].expression);
	}
}

static void
test_cron_refused(void **state KRN_UNUSED)
{
	static const struct {
		const char *expression, *message;
	} cases[] = {
	    /* clang-format off */
	    {"", "position 1: a cron expression has five fields"},
	    {"* * * *", "position 8: a cron expression has five fields"},
	    {"* * * * * *", "position 11: more than five fields"},
	    {"60 * * * *", "position 1: not a valid minute"},
	    {"* 24 * * *", "position 3: not a valid hour"},
	    {"* * 0 * *", "position 5: not a valid day of month"},
	    {"* * 32 * *", "position 5: not a valid day of month"},
	    {"* * * 13 *", "position 7: not a valid month"},
	    {"* * * * 8", "position 9: not a valid day of week"},
	    {"* * * * mon,tues", "position 13: not a valid day of week"},
	    {"* * * mon *", "position 7: not a valid month"},
	    {"5-3 * * * *", "position 1: not a valid minute"},
	    {"5/2 * * * *", "position 1: not a valid minute"},
	    {"*/0 * * * *", "position 1: not a valid minute"},
	    {"*/ * * * *", "position 1: not a valid minute"},
	    {"1,,2 * * * *", "position 3: not a valid minute"},
	    {"1-2-3 * * * *", "position 1: not a valid minute"},
	    {"-1 * * * *", "position 1: not a valid minute"},
	    {"*5 * * * *", "position 1: not a valid minute"},
	    {"@daily", "position 1: not a valid minute"},
	    /* clang-format on */
	};
	struct krn_schedule schedule;
	struct krn_error err;

	for (size_t i = 0; i < KRN_NR(cases); i++) {
		assert_int_equal(krn_cron_parse(krn_str_c(cases[i].expression),
						&schedule, &err),
				 KRN_ERR_INVALID);
		assert_string_equal(err.message, cases[i].message);
		assert_int_equal(
		    krn_cron_check(krn_str_c(cases[i].expression), &err),
		    KRN_ERR_INVALID);
	}
}

/* Random schedules against every minute of some weeks */
static void
test_cron_random(void **state KRN_UNUSED)
{
	for (uint64_t seed = 1; seed <= 60; seed++) {
		random_state = seed;
		const struct krn_schedule schedule = {
		    .minutes = (UINT64_C(1) << random_below(60)) |
			       (UINT64_C(1) << random_below(60)),
		    .hours = (uint32_t)random_below(1 << 24) &
			     (uint32_t)random_below(1 << 24),
		    .days = (uint32_t)random_below64(INT64_C(1) << 31) &
			    (uint32_t)random_below64(INT64_C(1) << 31),
		    .months = UINT32_MAX,
		    .weekdays = (uint32_t)random_below(128),
		    .either_day = random_below(2),
		};
		const int64_t begin = at("2028-02-10T00:00:00Z") +
				      random_below64(86400) * KRN_US_PER_SECOND;
		int64_t next = krn_schedule_local_next(&schedule, begin);

		for (int64_t us = begin - begin % MINUTE_US + MINUTE_US;
		     us < begin + 40 * KRN_US_PER_DAY; us += MINUTE_US) {
			const struct krn_civil c = krn_civil_from_us(us);
			const bool day = schedule.days >> c.day & 1,
				   weekday = schedule.weekdays >> c.weekday & 1;
			const bool fires =
			    schedule.minutes >> c.minute & 1 &&
			    schedule.hours >> c.hour & 1 &&
			    (schedule.either_day ? day || weekday
						 : day && weekday);

			assert_int_equal(fires, next == us);
			if (fires)
				next = krn_schedule_local_next(&schedule, us);
		}
	}
}

/* No 29 February is missed, whatever its day of the week. */
static void
test_leap_days(void **state KRN_UNUSED)
{
	size_t nr = 0;

	for (uint32_t weekday = 0; weekday < 7; weekday++) {
		struct krn_schedule schedule = cron("0 0 29 2 *");
		int64_t us = at("2000-01-01T00:00:00Z");

		schedule.weekdays = UINT32_C(1) << weekday;
		while ((us = krn_schedule_local_next(&schedule, us)) <
		       at("2400-01-01T00:00:00Z"))
			nr++;
	}
	assert_int_equal(nr, 97);
}

/* Expressions of another implementation, in UTC */
static void
test_fixture(void **state KRN_UNUSED)
{
	const char *source = getenv("KRN_SRCDIR");
	char path[4096], line[1024];
	size_t nr = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/t/data/cron.tsv",
		 source ? source : ".");
	file = fopen(path, "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		struct krn_str rest = krn_str_trim(krn_str_c(line)), text;
		struct krn_schedule schedule;
		int64_t us, want;

		if (line[0] == '#')
			continue;
		assert_true(krn_str_split(&rest, '\t', &text));
		assert_int_equal(krn_cron_parse(text, &schedule, NULL), 0);
		assert_true(krn_str_split(&rest, '\t', &text));
		assert_int_equal(krn_time_parse(text, &us, NULL), 0);
		while (krn_str_split(&rest, '\t', &text)) {
			assert_int_equal(krn_time_parse(text, &want, NULL), 0);
			us = krn_schedule_local_next(&schedule, us);
			if (us != want)
				fail_msg("not %.*s: %s", KRN_STR_ARG(text),
					 line);
			nr++;
		}
	}
	fclose(file);
	assert_int_equal(nr, 2000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_cron),
	    cmocka_unit_test(test_cron_refused),
	    cmocka_unit_test(test_cron_random),
	    cmocka_unit_test(test_leap_days),
	    cmocka_unit_test(test_fixture),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
