/*
 * What recording a metric costs: nanoseconds a recording, by the registry's own
 * code, in a file that is shared.
 *
 *	registry FILE COUNT
 */
#include "base/base.h"

#include "base/clock.h"
#include "base/registry.h"

int
main(int argc, char **argv)
{
	static const char *const labels[] = {"api", "GET", "campaign.list",
					     "200"};
	struct krn_error err;
	int64_t nr = 0;

	if (argc != 3 ||
	    krn_parse_int64(krn_str_c(argv[2]), 1, INT64_MAX, &nr, &err) ||
	    krn_registry_open(krn_str_c(argv[1]), "bench", &err))
		return 1;
	const int64_t start_us = krn_clock_monotonic_us();

	for (int64_t i = 0; i < nr; i++)
		krn_registry_observe(KRN_REGISTRY_HTTP_SECONDS, labels,
				     i % 20000);
	printf("%.1f\n", (double)(krn_clock_monotonic_us() - start_us) *
			     1000 / (double)nr);
	return 0;
}
