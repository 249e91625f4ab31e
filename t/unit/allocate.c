/* Volume limits against brute force: no limit is broken, none has room left. */

#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "campaign/allocate.h"
#include "t/unit/random.h"

#define OFFERS 4
#define CHANNELS 2
#define CUSTOMERS 12
#define CANDIDATES 40

static bool
has_room(int64_t given, int64_t limit)
{
	return limit < 0 || given < limit;
}

static void
test_random(void **state KRN_UNUSED)
{
	for (uint64_t seed = 1; seed <= 3000; seed++) {
		struct krn_arena *arena = krn_arena_new(0);
		struct krn_allocate allocate;
		size_t customer[CANDIDATES], offer[CANDIDATES], channel[CANDIDATES];
		bool given[CANDIDATES];
		int64_t by_offer[OFFERS] = {0}, by_channel[CHANNELS] = {0};
		int64_t by_customer[CUSTOMERS] = {0}, total = 0;

		random_state = seed;
		const struct krn_allocate_limits limits = {
		    random_below(30) - 1, random_below(10) - 1,
		    random_below(20) - 1, 1 + random_below(3)};

		assert_int_equal(krn_allocate_init(&allocate, arena, &limits, OFFERS,
						   CHANNELS, CUSTOMERS, NULL), 0);
		for (size_t i = 0; i < CANDIDATES; i++) {
			customer[i] = (size_t)random_below(CUSTOMERS);
			offer[i] = (size_t)random_below(OFFERS);
			channel[i] = (size_t)random_below(CHANNELS);
			given[i] = krn_allocate_next(&allocate, customer[i],
						     offer[i], channel[i]);
			if (!given[i])
				continue;
			total++;
			by_offer[offer[i]]++;
			by_channel[channel[i]]++;
			by_customer[customer[i]]++;
		}
		for (size_t i = 0; i < CANDIDATES; i++)
			if (!given[i])
				assert_false(
				    has_room(total, limits.total) &&
				    has_room(by_offer[offer[i]], limits.per_offer) &&
				    has_room(by_channel[channel[i]], limits.per_channel) &&
				    by_customer[customer[i]] < limits.per_customer);
		assert_true(limits.total < 0 || total <= limits.total);
		for (size_t i = 0; i < OFFERS; i++)
			assert_true(limits.per_offer < 0 || by_offer[i] <= limits.per_offer);
		krn_arena_free(arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_random)};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
