#ifndef KRN_CLOCK_H
#define KRN_CLOCK_H

/*
 * Time is int64_t microseconds since 1970-01-01 UTC, in the years 0001..9999.
 * It is shown as ISO 8601 in UTC with milliseconds, truncated (contract 1).
 */

#include "base/text.h"

#define KRN_US_PER_SECOND INT64_C(1000000)
#define KRN_US_PER_DAY (INT64_C(86400) * KRN_US_PER_SECOND)

/* "2026-03-30T02:00:00.000Z" and NUL */
#define KRN_TIME_TEXT_BYTES 25

/* A time taken apart, UTC. */
struct krn_civil {
	int year, month, day; /* 1-based */
	int hour, minute, second;
	int microsecond;
	int weekday; /* 0 is Sunday */
};

/* The wall clock. */
int64_t krn_clock_us(void);

/* For durations: never goes back. */
int64_t krn_clock_monotonic_us(void);

/* Do nothing for so long; a signal may end it early. */
void krn_pause_ms(int64_t ms);

struct krn_civil krn_civil_from_us(int64_t us);
int64_t krn_civil_to_us(const struct krn_civil *civil);

void krn_time_format(int64_t us, char ret_text[KRN_TIME_TEXT_BYTES]);

/*
 * ISO 8601 with Z or an offset, as RFC 3339 has it; also what PostgreSQL
 * prints for timestamptz ("2026-03-30 02:00:00.5+00").
 * Errors: KRN_ERR_INVALID
 */
KRN_MUSTCHECK enum krn_err krn_time_parse(struct krn_str text, int64_t *ret_us,
					  struct krn_error *err);

#endif
