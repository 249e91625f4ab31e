#ifndef KRN_SCHEDULE_CASE_H
#define KRN_SCHEDULE_CASE_H

/* What the tests of schedules share. */

#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "schedule/schedule.h"

#define MINUTE_US (INT64_C(60) * KRN_US_PER_SECOND)

/* A time as ISO 8601. */
int64_t at(const char *text);

/* Does the time begin with `want`, or is it "never"? */
void assert_time(int64_t us, const char *want, const char *where);

/* A cron expression that is well-formed. */
struct krn_schedule cron(const char *expression);

#endif
