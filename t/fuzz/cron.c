/* Cron expressions. */

#include "t/fuzz/fuzz.h"

#include "campaign/schedule.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct krn_error err;

	(void)!krn_cron_check(krn_str_from((const char *)data, size), &err);
	return 0;
}
