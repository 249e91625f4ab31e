/*
 * Calls to elsewhere, all at once, by hand:
 *
 *	t/bin/call ALLOW CACERT TIMEOUT_MS ANSWER_MAX URL...
 *
 * prints a line for each as it ends: url, milliseconds, status or 0, what was
 * wrong.
 */

#include "base/base.h"

#include "base/clock.h"
#include "egress/http.h"

int
main(int argc, char **argv)
{
	struct krn_arena *arena = krn_arena_new(0);
	struct krn_http_request *requests;
	struct krn_http_pump *pump;
	struct krn_http_done done;
	struct krn_guard guard;
	int64_t timeout_ms, answer_max;
	const int64_t start_us = krn_clock_monotonic_us();

	if (!arena || argc < 6 ||
	    krn_parse_int64(krn_str_c(argv[3]), 1, 600000, &timeout_ms, NULL) ||
	    krn_parse_int64(krn_str_c(argv[4]), 1, INT64_C(1) << 40,
			    &answer_max, NULL))
		return 2;
	guard = (struct krn_guard){krn_str_c(argv[1]), false};
	requests = krn_arena_calloc(arena, (size_t)argc, sizeof(*requests));
	if (!requests || krn_http_pump_make(arena, (size_t)argc, &pump, NULL))
		return 1;
	for (int i = 5; i < argc; i++) {
		requests[i] = (struct krn_http_request){
		    .method = "POST",
		    .url = krn_str_c(argv[i]),
		    .body = KRN_STR("x"),
		    .ca_file = krn_str_c(argv[2]),
		    .timeout_ms = timeout_ms,
		    .answer_max = (size_t)answer_max,
		    .guard = &guard,
		};
		krn_http_pump_add(pump, arena, &requests[i], argv[i]);
	}
	while (krn_http_pump_is_busy(pump)) {
		krn_http_pump_wait(pump, 1000);
		while (krn_http_pump_take(pump, &done))
			printf(
			    "%s\t%lld\t%ld\t%s\n", (char *)done.tag,
			    (long long)(krn_clock_monotonic_us() - start_us) /
				1000,
			    done.answer.status,
			    done.code ? done.err.message : "");
	}
	krn_arena_free(arena);
	return 0;
}
