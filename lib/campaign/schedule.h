#ifndef KRN_SCHEDULE_H
#define KRN_SCHEDULE_H

/*
 * Schedules of campaigns: what they may look like. When they fire is not a
 * matter of this release.
 *
 * Source: contract section 5; crontab(5) for the five fields.
 */

#include "base/text.h"

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

#endif
