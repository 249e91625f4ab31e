/* Cron expressions, and when they fire. */

#include "t/fuzz/fuzz.h"

#include "schedule/schedule.h"

/* An hour that is not there, one that is there twice. */
static const struct krn_zone_offset fuzz_offsets[] = {
    {INT64_C(0), INT64_C(3600) * KRN_US_PER_SECOND},
    {INT64_C(1000000000) * KRN_US_PER_SECOND,
     INT64_C(7200) * KRN_US_PER_SECOND},
    {INT64_C(1010000000) * KRN_US_PER_SECOND,
     INT64_C(3600) * KRN_US_PER_SECOND},
};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct krn_zone zone = {fuzz_offsets, KRN_NR(fuzz_offsets)};
	int64_t us = INT64_C(999990000) * KRN_US_PER_SECOND;
	struct krn_schedule schedule;
	struct krn_error err;

	if (krn_cron_parse(krn_str_from((const char *)data, size), &schedule,
			   &err))
		return 0;
	for (int i = 0; i < 10 && us != KRN_SCHEDULE_NEVER; i++) {
		const int64_t next =
		    krn_schedule_zone_next(&schedule, &zone, us);

		/* forward, and within a lifetime or never */
		if (next <= us || (next != KRN_SCHEDULE_NEVER &&
				   next - us > 42 * 366 * KRN_US_PER_DAY))
			__builtin_trap();
		us = next;
	}
	return 0;
}
