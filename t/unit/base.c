/* Arena, text, buffer, clock, ids, secrets. */

#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/id.h"

static int defers;

static void
count_defer(void *data)
{
	assert_int_equal(*(int *)data, defers);
	defers--;
}

static void
test_arena(void **state KRN_UNUSED)
{
	static int order[] = {1, 2, 3};
	struct krn_arena *arena = krn_arena_new(100000);
	struct krn_error err;
	char *grown = NULL;

	for (size_t i = 0; i < KRN_NR(order); i++)
		assert_int_equal(
		    krn_arena_defer(arena, count_defer, &order[i], NULL), 0);
	for (size_t size = 1; size <= 65536; size *= 2) {
		grown = krn_arena_grow(arena, grown, size / 2, size);
		assert_non_null(grown);
		memset(grown + size / 2, 'x', size - size / 2);
		grown[0] = 'y';
	}
	assert_int_equal(grown[0], 'y');
	assert_int_equal(grown[40000], 'x');
	assert_null(krn_arena_alloc(arena, 200000));
	assert_int_equal(krn_arena_fail(arena, &err), KRN_ERR_TOOBIG);
	assert_null(krn_arena_calloc(arena, SIZE_MAX / 2, 3));
	defers = 3;
	krn_arena_reset(arena);
	assert_int_equal(defers, 0);
	assert_int_equal(krn_arena_used(arena), 0);
	krn_arena_free(arena);
	krn_arena_free(NULL);
}

static void
test_numbers(void **state KRN_UNUSED)
{
	static const char *const bad_ints[] = {"",   " 1",  "1 ", "+1", "0x1",
					       "1e1", "1.0", "-",  "9223372036854775808"};
	static const char *const bad_doubles[] = {"",    "nan", "inf", "0x1p3",
						  "1e", ".",   "1e999", "1,5"};
	static const double doubles[] = {0.1,	 1.0 / 3, 1e22, 5e-324, 123456.789,
					 -1e-7, 0.30000000000000004};
	int64_t integer;
	double number;
	char text[KRN_DOUBLE_TEXT_BYTES];

	for (size_t i = 0; i < KRN_NR(bad_ints); i++)
		assert_int_equal(krn_parse_int64(krn_str_c(bad_ints[i]),
						 INT64_MIN, INT64_MAX, &integer,
						 NULL),
				 KRN_ERR_INVALID);
	assert_int_equal(krn_parse_int64(KRN_STR("-9223372036854775808"),
					 INT64_MIN, INT64_MAX, &integer, NULL),
			 KRN_OK);
	for (size_t i = 0; i < KRN_NR(bad_doubles); i++)
		assert_int_equal(
		    krn_parse_double(krn_str_c(bad_doubles[i]), &number, NULL),
		    KRN_ERR_INVALID);
	for (size_t i = 0; i < KRN_NR(doubles); i++) {
		krn_format_double(doubles[i], text);
		assert_int_equal(
		    krn_parse_double(krn_str_c(text), &number, NULL), KRN_OK);
		assert_true(number == doubles[i]);
	}
	krn_format_double(0.1, text);
	assert_string_equal(text, "0.1");
	krn_format_double(5e-324, text);
	assert_string_equal(text, "5e-324");
	krn_format_double(-0.0, text);
	assert_string_equal(text, "0");
}

static void
test_utf8(void **state KRN_UNUSED)
{
	assert_true(krn_str_is_utf8(KRN_STR("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80")));
	assert_false(krn_str_is_utf8(KRN_STR("\xc0\x80")));
	assert_false(krn_str_is_utf8(KRN_STR("\xed\xa0\x80")));
	assert_false(krn_str_is_utf8(KRN_STR("\xf4\x90\x80\x80")));
	assert_false(krn_str_is_utf8(KRN_STR("\xe2\x82")));
	assert_int_equal(krn_str_code_points(KRN_STR("a\xc3\xa9\xf0\x9f\x98\x80")), 3);
	assert_int_equal(krn_str_distance(KRN_STR("nmae"), KRN_STR("name")), 2);
}

/* A cut leaves whole characters, and nothing else goes. */
static void
test_whole(void **state KRN_UNUSED)
{
	static const char text[] = "a\u00e9\u20ac\U0001f642z";
	static const size_t whole[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11};
	static const char *const odd[] = {"\x80", "\xff", "a\x80\x80",
					  "\xf4\x80\x80\x80\x80"};

	assert_int_equal(sizeof(text), KRN_NR(whole));
	for (size_t i = 0; i < KRN_NR(whole); i++) {
		const struct krn_str is = krn_str_whole(krn_str_from(text, i));

		assert_int_equal(is.len, whole[i]);
		assert_true(krn_str_is_utf8(is));
	}
	for (size_t i = 0; i < KRN_NR(odd); i++)
		assert_true(krn_str_whole(krn_str_c(odd[i])).len <=
			    strlen(odd[i]));
}

/* Messages of all lengths around their bounds stay UTF-8. */
static void
test_messages(void **state KRN_UNUSED)
{
	struct krn_arena *arena = krn_arena_new(0);
	struct krn_problems *problems =
	    krn_arena_make(arena, struct krn_problems);
	char text[1200], field[101];
	struct krn_error err;

	problems->arena = arena;
	for (size_t i = 0; i < 4; i++) {
		memset(text, 'x', i);
		for (size_t at = i; at + 4 < sizeof(text); at += 4)
			memcpy(text + at, "\xf0\x9f\x99\x82", 5);
		assert_int_equal(
		    krn_refuse(&err, KRN_ERR_INVALID, "%s", text),
		    KRN_ERR_INVALID);
		assert_true(krn_str_is_utf8(krn_str_c(err.message)));
		assert_true(strlen(err.message) > sizeof(err.message) - 5);
		assert_string_equal(err.message, err.detail);
		krn_fail(&err, KRN_ERR_INTERNAL, "%s", text);
		assert_true(krn_str_is_utf8(krn_str_c(err.detail)));
		assert_true(strlen(err.detail) > sizeof(err.detail) - 5);
		/* cut by whoever names the field, and once more */
		snprintf(field, sizeof(field), "%.100s", text);
		krn_problem_add(problems, field, "%s", text);
		krn_problem_add(problems, field, "%s", field);
	}
	assert_int_equal(problems->nr, 8);
	for (size_t i = 0; i < problems->nr; i++) {
		const struct krn_problem *it = &problems->list[i];

		assert_true(krn_str_is_utf8(krn_str_c(it->field)));
		assert_true(krn_str_is_utf8(krn_str_c(it->message)));
		assert_true(strlen(it->field) > sizeof(field) - 5);
		assert_true(strlen(it->message) > sizeof(field) - 5);
	}
	krn_arena_free(arena);
}

static void
test_split(void **state KRN_UNUSED)
{
	struct krn_str rest = KRN_STR("a,,b"), part;
	size_t nr = 0;

	while (krn_str_split(&rest, ',', &part))
		nr++;
	assert_int_equal(nr, 3);
	assert_true(krn_str_eq_c(krn_str_trim(KRN_STR(" \tx\r\n")), "x"));
	assert_true(krn_str_cmp(KRN_STR("ab"), KRN_STR("abc")) < 0);
	assert_true(krn_str_cmp(KRN_STR("Z"), KRN_STR("a")) < 0);
}

static void
test_clock(void **state KRN_UNUSED)
{
	static const char *const good[][2] = {
	    {"2026-03-30T02:00:00.000Z", "2026-03-30T02:00:00.000Z"},
	    {"2026-03-30 02:00:00.5+00", "2026-03-30T02:00:00.500Z"},
	    {"2024-02-29T23:59:59+05:30", "2024-02-29T18:29:59.000Z"},
	    {"1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999Z"},
	};
	static const char *const bad[] = {"2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z",
					  "2026-03-30", "2026-03-30T24:00:00Z",
					  "2026-03-30T02:00:00", "x"};
	char text[KRN_TIME_TEXT_BYTES];
	int64_t us;

	for (size_t i = 0; i < KRN_NR(good); i++) {
		assert_int_equal(krn_time_parse(krn_str_c(good[i][0]), &us, NULL), 0);
		krn_time_format(us, text);
		assert_string_equal(text, good[i][1]);
	}
	for (size_t i = 0; i < KRN_NR(bad); i++)
		assert_int_equal(krn_time_parse(krn_str_c(bad[i]), &us, NULL),
				 KRN_ERR_INVALID);
	for (int64_t day = -200000; day < 200000; day += 37) {
		const struct krn_civil civil = krn_civil_from_us(day * KRN_US_PER_DAY);

		assert_true(krn_civil_to_us(&civil) == day * KRN_US_PER_DAY);
	}
}

static void
test_id(void **state KRN_UNUSED)
{
	char last[KRN_ID_BYTES] = "", id[KRN_ID_BYTES];

	for (int i = 0; i < 10000; i++) {
		krn_id_make("off", id);
		assert_true(strcmp(last, id) < 0);
		assert_true(krn_id_is(krn_str_c(id), "off"));
		memcpy(last, id, sizeof(last));
	}
	assert_false(krn_id_is(KRN_STR("off_short"), "off"));
}

static void
test_secret(void **state KRN_UNUSED)
{
	char hex[KRN_SHA256_HEX_BYTES];

	krn_sha256_hex("abc", 3, hex);
	assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_true(krn_secret_eq(KRN_STR("s"), KRN_STR("s")));
	assert_false(krn_secret_eq(KRN_STR("s"), KRN_STR("S")));
	assert_false(krn_secret_eq(KRN_STR(""), KRN_STR("")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_arena), cmocka_unit_test(test_numbers),
	    cmocka_unit_test(test_utf8),  cmocka_unit_test(test_whole),
	    cmocka_unit_test(test_messages), cmocka_unit_test(test_split),
	    cmocka_unit_test(test_clock), cmocka_unit_test(test_id),
	    cmocka_unit_test(test_secret),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
