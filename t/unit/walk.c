/*
 * Packed decisions and the walk over them, against a sort of everything in
 * memory; damaged packs; memory that runs out.
 */

#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "campaign/walk.h"
#include "t/unit/random.h"

#define OFFERS     300
#define CHANNELS   3
#define CREATIVES  200
#define CHUNKS_MAX 12
#define CHUNK_MAX  40
#define KEEP_MAX   6

/* Nothing of a plan but how many there are is looked at. */
static const struct krn_plan plan = {
    .offers_nr = OFFERS, .channels_nr = CHANNELS, .creatives_nr = CREATIVES};

struct expected {
	struct krn_walk_candidate candidate;
	size_t chunk, rank;
};

static struct expected expected[CHUNKS_MAX * CHUNK_MAX * KEEP_MAX];
static size_t expected_nr;

static int
compare(const void *left, const void *right)
{
	const struct expected *a = left, *b = right;

	if (a->candidate.key != b->candidate.key)
		return a->candidate.key > b->candidate.key ? -1 : 1;
	if (a->candidate.customer != b->candidate.customer)
		return a->candidate.customer < b->candidate.customer ? -1 : 1;
	return a->rank < b->rank ? -1 : 1;
}

/* Few scores, so that many are the same; now and then many. */
static double
random_score(void)
{
	static const double few[] = {0, 0.25, 0.5, 1, -1, 1e-300, 1e300};

	if (random_below(2))
		return few[random_below((int)KRN_NR(few))];
	return (double)random_below(1000000) / 7;
}

/* One customer's decision, noted as expected and packed. */
static void
add_customer(struct krn_pack *pack, size_t chunk, uint32_t customer, uint32_t *candidate)
{
	struct krn_candidate candidates[KEEP_MAX];
	struct krn_decision decision = {
	    .candidates = candidates, .candidates_nr = (size_t)random_below(KEEP_MAX + 1)};
	char id[300];
	double key = 0;

	snprintf(id, sizeof(id), "c%05u%.*s", customer,
		 random_below(20) ? 0 : random_below(250), "very long");
	if (decision.candidates_nr == 0 && random_below(2))
		decision.error = "of some kind";
	for (size_t i = 0; i < decision.candidates_nr; i++) {
		candidates[i] = (struct krn_candidate){
		    .offer = (uint32_t)random_below(OFFERS), .channel = (uint32_t)random_below(CHANNELS),
		    .creative = random_below(CREATIVES + 1) - 1, .score = random_score()};
		if (i == 0 || candidates[i].score < key)
			key = candidates[i].score;
		expected[expected_nr++] = (struct expected){
		    {key, customer, (*candidate)++, candidates[i].offer,
		     candidates[i].channel}, chunk, i};
	}
	krn_pack_add(pack, krn_str_c(id), &decision);
}

static struct krn_str
packed(const struct krn_pack *pack)
{
	assert_false(pack->bytes.failed);
	return (struct krn_str){pack->bytes.data, pack->bytes.len};
}

static struct krn_walk *
random_walk(struct krn_arena *arena)
{
	const size_t chunks = (size_t)random_below(CHUNKS_MAX + 1);
	struct krn_walk *walk;
	uint32_t customer = 0;

	expected_nr = 0;
	assert_int_equal(krn_walk_new(arena, &plan, &walk, NULL), 0);
	for (size_t i = 0; i < chunks; i++) {
		const uint32_t customers = (uint32_t)random_below(CHUNK_MAX);
		struct krn_pack pack;
		uint32_t candidate = 0;

		krn_pack_init(&pack, arena, &plan);
		for (uint32_t k = 0; k < customers; k++)
			add_customer(&pack, i, customer++, &candidate);
		assert_int_equal(krn_walk_add(walk, packed(&pack), NULL), 0);
		assert_int_equal(krn_walk_candidates(walk, i), candidate);
	}
	assert_int_equal(krn_walk_chunks(walk), chunks);
	assert_int_equal(krn_walk_customers(walk), customer);
	if (expected_nr)
		qsort(expected, expected_nr, sizeof(*expected), compare);
	return walk;
}

static void
test_random(void **state KRN_UNUSED)
{
	for (uint64_t seed = 1; seed <= 500; seed++) {
		struct krn_arena *arena = krn_arena_new(0);
		const struct krn_walk_candidate *candidate;
		size_t chunk;

		random_state = seed;
		struct krn_walk *walk = random_walk(arena);

		assert_int_equal(krn_walk_begin(walk, NULL), 0);
		for (size_t i = 0; i < expected_nr; i++) {
			assert_int_equal(krn_walk_next(walk, &candidate, &chunk, NULL), 0);
			assert_non_null(candidate);
			assert_memory_equal(candidate, &expected[i].candidate, sizeof(*candidate));
			assert_int_equal(chunk, expected[i].chunk);
		}
		for (int again = 0; again < 2; again++) {
			assert_int_equal(krn_walk_next(walk, &candidate, &chunk, NULL), 0);
			assert_null(candidate);
		}
		krn_arena_free(arena);
	}
}

/* A chunk that is longer than what is read ahead. */
static void
test_long(void **state KRN_UNUSED)
{
	enum { CHUNKS = 3, CUSTOMERS = 180000 };
	struct krn_arena *arena = krn_arena_new(0);
	struct krn_walk *walk;
	const struct krn_walk_candidate *candidate;
	struct krn_pack pack;
	size_t chunk, nr = 0;
	double last = 2;

	random_state = 1;
	krn_pack_init(&pack, arena, &plan);
	assert_true((size_t)CUSTOMERS * sizeof(*candidate) > KRN_WALK_BUFFER_BYTES / (CHUNKS + 1));
	assert_int_equal(krn_walk_new(arena, &plan, &walk, NULL), 0);
	for (size_t i = 0; i < CHUNKS; i++) {
		krn_buf_clear(&pack.bytes);
		for (size_t k = 0; k < CUSTOMERS; k++) {
			const struct krn_candidate one = {
			    .creative = -1, .score = random_below(1000) / 1000.0};

			krn_pack_add(&pack, KRN_STR("c"),
				     &(struct krn_decision){.candidates = &one, .candidates_nr = 1});
		}
		assert_int_equal(krn_walk_add(walk, packed(&pack), NULL), 0);
	}
	assert_int_equal(krn_walk_begin(walk, NULL), 0);
	for (;; nr++) {
		assert_int_equal(krn_walk_next(walk, &candidate, &chunk, NULL), 0);
		if (!candidate)
			break;
		assert_true(candidate->key <= last);
		last = candidate->key;
	}
	assert_int_equal(nr, CHUNKS * CUSTOMERS);
	krn_arena_free(arena);
}

/* Read it all; the number of customers, or -1. */
static int
read_pack(const char *bytes, size_t len)
{
	struct krn_pack_reader reader;
	struct krn_pack_customer customer;
	int nr = 0;

	for (krn_pack_open(&reader, &plan, (struct krn_str){bytes, len});; nr++) {
		if (krn_pack_next(&reader, &customer, NULL))
			return -1;
		if (!customer.id.s)
			return nr;
		for (size_t i = 0; i < customer.candidates_nr; i++) {
			assert_true(customer.candidates[i].offer < OFFERS);
			assert_true(customer.candidates[i].channel < CHANNELS);
			assert_true(customer.candidates[i].creative < CREATIVES);
		}
	}
}

/* Cut at any place, and with any byte replaced: an error or other decisions,
 * but nothing out of bounds. */
static void
test_damaged(void **state KRN_UNUSED)
{
	struct krn_arena *arena = krn_arena_new(0);
	struct krn_pack made;
	uint32_t candidate = 0;
	int refused = 0;

	random_state = 7;
	expected_nr = 0;
	krn_pack_init(&made, arena, &plan);
	for (uint32_t i = 0; i < 20; i++)
		add_customer(&made, 0, i, &candidate);
	const struct krn_buf pack = made.bytes;

	assert_int_equal(read_pack(pack.data, pack.len), 20);
	for (size_t cut = 0; cut < pack.len; cut++) {
		char *part = krn_arena_alloc(arena, cut + 1); /* the sanitizer sees its end */

		memcpy(part, pack.data, cut);
		assert_true(read_pack(part, cut) < 20);
	}
	for (size_t at = 0; at < pack.len; at++)
		for (int byte = 0; byte < 256; byte += 5) {
			const char was = pack.data[at];

			pack.data[at] = (char)byte;
			refused += read_pack(pack.data, pack.len) < 0;
			pack.data[at] = was;
		}
	assert_true(refused > 1000);
	krn_arena_free(arena);
}

static void
test_no_memory(void **state KRN_UNUSED)
{
	int failed = 0;

	for (int64_t n = 1; n < 200; n++) {
		struct krn_arena *arena = krn_arena_new(0);
		const struct krn_candidate one = {.creative = -1, .score = 1};
		const struct krn_walk_candidate *candidate;
		struct krn_walk *walk;
		struct krn_pack pack;
		size_t chunk;
		enum krn_err e;

		krn_pack_init(&pack, arena, &plan);
		for (size_t i = 0; i < 1000; i++)
			krn_pack_add(&pack, KRN_STR("c"),
				     &(struct krn_decision){.candidates = &one, .candidates_nr = 1});
		krn_arena_fail_nth(n);
		e = krn_walk_new(arena, &plan, &walk, NULL);
		for (size_t i = 0; !e && i < 300; i++)
			e = krn_walk_add(walk, packed(&pack), NULL);
		if (!e)
			e = krn_walk_begin(walk, NULL);
		for (candidate = NULL; !e; ) {
			e = krn_walk_next(walk, &candidate, &chunk, NULL);
			if (!candidate)
				break;
		}
		krn_arena_fail_nth(0);
		failed += e == KRN_ERR_UNAVAILABLE;
		assert_true(e == KRN_OK || e == KRN_ERR_UNAVAILABLE);
		krn_arena_free(arena);
	}
	assert_true(failed > 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_random),    cmocka_unit_test(test_long),
	    cmocka_unit_test(test_damaged),   cmocka_unit_test(test_no_memory),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
