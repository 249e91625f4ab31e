/* What the tests of schedules share. */

#include "base/base.h"

#include "t/unit/schedule_case.h"

int64_t
at(const char *text)
{
	int64_t us;

	assert_int_equal(krn_time_parse(krn_str_c(text), &us, NULL), 0);
	return us;
}

void
assert_time(int64_t us, const char *want, const char *where)
{
	char text[KRN_TIME_TEXT_BYTES] = "never";

	if (us != KRN_SCHEDULE_NEVER)
		krn_time_format(us, text);
	if (strncmp(text, want, strlen(want)) != 0)
		fail_msg("%s: %s, not %s", where, text, want);
}

struct krn_schedule
cron(const char *expression)
{
	struct krn_schedule schedule;
	struct krn_error err;

	if (krn_cron_parse(krn_str_c(expression), &schedule, &err))
		fail_msg("%s: %s", expression, err.message);
	return schedule;
}
