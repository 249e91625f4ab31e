/* JSON in and out: what is refused, what comes back, lack of memory. */

#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "base/json_in.h"
#include "base/json_out.h"

static enum krn_err
parse(struct krn_arena *arena, const char *text, size_t len,
      struct krn_value *ret, struct krn_error *err)
{
	return krn_json_parse(arena, krn_str_from(text, len), 32, ret, err);
}

static void
test_refused(void **state KRN_UNUSED)
{
	static const char *const bad[] = {
	    "", " ", "{", "[1,]", "{\"a\":1,}", "{'a':1}", "{a:1}", "NaN",
	    "[Infinity]", "-", "01", "1.", "1e", "+1", "tru", "\"\\x\"",
	    "\"\\u0000\"", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\"",
	    "{\"a\":1,\"a\":2}", "{\"a\":1,\"\\u0061\":2}", "{} {}", "1 2",
	    "\"\t\"", "\"abc", "\xff", "\"\xc0\x80\"", "/* */1", "[1 2]",
	    "99999999999999999999", "9223372036854775807", "1e999",
	    "\xef\xbb\xbf{}",
	};
	struct krn_arena *arena = krn_arena_new(0);

	for (size_t i = 0; i < KRN_NR(bad); i++) {
		struct krn_value value;
		struct krn_error err;

		if (parse(arena, bad[i], strlen(bad[i]), &value, &err) !=
		    KRN_ERR_INVALID)
			fail_msg("accepted: %s", bad[i]);
		assert_true(err.message[0]);
	}
	krn_arena_free(arena);
}

static void
test_depth(void **state KRN_UNUSED)
{
	struct krn_arena *arena = krn_arena_new(0);
	struct krn_value value;
	char text[200];

	memset(text, '[', 32);
	memset(text + 32, ']', 32);
	assert_int_equal(parse(arena, text, 64, &value, NULL), KRN_OK);
	memset(text, '[', 33);
	memset(text + 33, ']', 33);
	assert_int_equal(parse(arena, text, 66, &value, NULL), KRN_ERR_INVALID);
	krn_arena_free(arena);
}

static void
test_round_trip(void **state KRN_UNUSED)
{
	static const char *const same[] = {
	    "null", "true", "-7", "0.1", "\"\"", "[]", "{}", "1e+22",
	    "{\"a\":[1,{\"b\":null}],\"c\":\"\\\"\\\\\\n\xc3\xa9\"}",
	};
	struct krn_arena *arena = krn_arena_new(0);

	for (size_t i = 0; i < KRN_NR(same); i++) {
		struct krn_value value, again;
		struct krn_json_out out;
		struct krn_buf buf;
		struct krn_str text;

		assert_int_equal(
		    parse(arena, same[i], strlen(same[i]), &value, NULL), 0);
		krn_buf_init(&buf, arena);
		krn_json_init(&out, &buf);
		krn_json_value(&out, NULL, &value);
		krn_json_end(&out);
		assert_int_equal(krn_buf_end(&buf, &text, NULL), 0);
		assert_true(krn_str_eq_c(text, same[i]));
		assert_int_equal(parse(arena, text.s, text.len, &again, NULL),
				 0);
		assert_true(krn_value_eq(&value, &again));
	}
	krn_arena_free(arena);
}

static void
test_canonical(void **state KRN_UNUSED)
{
	/* numbers as ECMAScript writes them; Source: RFC 8785 appendix B */
	static const char text[] =
	    "{\"b\":1,\"a\":[1e21,1e-7,0.000001,100,333333333.3333333,4.50,"
	    "2e-3,1e-27,-0.0],\"\xf0\x9f\x98\x80\":1,\"\xef\xac\xb3\":2}";
	struct krn_arena *arena = krn_arena_new(0);
	struct krn_value value;
	struct krn_buf buf;
	struct krn_str out;

	assert_int_equal(parse(arena, text, sizeof(text) - 1, &value, NULL), 0);
	krn_buf_init(&buf, arena);
	krn_json_canonical(&buf, &value);
	assert_int_equal(krn_buf_end(&buf, &out, NULL), 0);
	assert_string_equal(
	    krn_str_cstr(arena, out),
	    "{\"a\":[1e+21,1e-7,0.000001,100,333333333.3333333,4.5,0.002,"
	    "1e-27,0],\"b\":1,\"\xf0\x9f\x98\x80\":1,\"\xef\xac\xb3\":2}");
	krn_arena_free(arena);
}

/* Canonical by the short way, and by parsing; both must say the same. */
static struct krn_str
canonical_stored(struct krn_arena *arena, struct krn_str text,
		 enum krn_err *ret_e)
{
	struct krn_buf buf;
	struct krn_str out = {NULL, 0};

	krn_buf_init(&buf, arena);
	*ret_e = krn_json_canonical_stored(&buf, text, NULL);
	if (*ret_e == KRN_OK)
		assert_int_equal(krn_buf_end(&buf, &out, NULL), 0);
	return out;
}

static void
test_canonical_stored(void **state KRN_UNUSED)
{
	/* as PostgreSQL prints jsonb: members by length, then bytes */
	static const struct {
		const char *stored, *canonical;
	} cases[] = {
	    {"null", "null"},
	    {"true", "true"},
	    {"\"\"", "\"\""},
	    {"\"a, \\\"b\\\": {[\\\\\"", "\"a, \\\"b\\\": {[\\\\\""},
	    {"\"\\u0001\\n\x7f\"", "\"\\u0001\\n\x7f\""},
	    {"[]", "[]"},
	    {"{}", "{}"},
	    {"[1, [2, []], {\"a\": {}}]", "[1,[2,[]],{\"a\":{}}]"},
	    {"{\"b\": 1, \"aa\": [true, null]}", "{\"aa\":[true,null],\"b\":1}"},
	    {"{\"a\": \"}\", \"b\": \"]\", \"c\": \": \"}",
	     "{\"a\":\"}\",\"b\":\"]\",\"c\":\": \"}"},
	    /* names with an escape are sorted by what they mean */
	    {"{\"\\\"\": 1, \"!\": 2, \"z\": 3}", "{\"!\":2,\"\\\"\":1,\"z\":3}"},
	    /* by UTF-16: a surrogate comes before U+FB33 */
	    {"{\"\xef\xac\xb3\": 2, \"\xf0\x9f\x98\x80\": 1}",
	     "{\"\xf0\x9f\x98\x80\":1,\"\xef\xac\xb3\":2}"},
	    {"[0, -7, 0.0, 4.50, 0.10]", "[0,-7,0,4.5,0.1]"},
	    {"[999999999999999, -99999999999999]",
	     "[999999999999999,-99999999999999]"},
	    {"[100000000000000000000000, 0.00000010]", "[1e+23,1e-7]"},
	    {"{\"n\": 1.0, \"in\": {\"y\": 1, \"x\": [\"\\\\\"]}}",
	     "{\"in\":{\"x\":[\"\\\\\"],\"y\":1},\"n\":1}"},
	};
	struct krn_arena *arena = krn_arena_new(0);

	for (size_t i = 0; i < KRN_NR(cases); i++) {
		const struct krn_str text = krn_str_c(cases[i].stored);
		char *other = krn_str_cstr(arena, text);
		struct krn_value value;
		struct krn_buf buf;
		struct krn_str out;
		enum krn_err e;

		out = canonical_stored(arena, text, &e);
		assert_int_equal(e, KRN_OK);
		assert_string_equal(krn_str_cstr(arena, out),
				    cases[i].canonical);
		assert_int_equal(
		    krn_json_parse_stored(arena, text, &value, NULL), KRN_OK);
		krn_buf_init(&buf, arena);
		krn_json_canonical(&buf, &value);
		assert_int_equal(krn_buf_end(&buf, &out, NULL), 0);
		assert_string_equal(krn_str_cstr(arena, out),
				    cases[i].canonical);
		/* cut off anywhere: nothing behind the end is looked at */
		for (size_t len = text.len; len-- > 1;) {
			enum krn_err e_other;
			struct krn_str out_other;

			memset(other + len, '}', text.len - len);
			out = canonical_stored(
			    arena, krn_str_from(text.s, len), &e);
			out_other = canonical_stored(
			    arena, krn_str_from(other, len), &e_other);
			assert_int_equal(e, e_other);
			assert_true(krn_str_eq(out, out_other));
		}
	}
	krn_arena_free(arena);
}

static void
test_memory(void **state KRN_UNUSED)
{
	static const char text[] = "{\"a\":[1,2,3,{\"b\":\"c\"}],\"d\":1.5}";
	struct krn_value value;
	enum krn_err e = KRN_ERR_UNAVAILABLE;

	for (int64_t n = 1; e != KRN_OK; n++) {
		struct krn_arena *arena = krn_arena_new(0);

		krn_arena_fail_nth(n);
		e = parse(arena, text, sizeof(text) - 1, &value, NULL);
		krn_arena_fail_nth(0);
		assert_true(e == KRN_OK || e == KRN_ERR_UNAVAILABLE);
		assert_true(n < 100);
		krn_arena_free(arena);
	}
}

/* A byte is escaped in the same way alone and anywhere in a longer text. */
static void
test_escape(void **state KRN_UNUSED)
{
	struct krn_arena *arena = krn_arena_new(0);
	struct krn_buf alone, among;

	krn_buf_init(&alone, arena);
	krn_buf_init(&among, arena);
	for (int c = 0; c < 256; c++) {
		char text[21], one = (char)c;

		krn_buf_clear(&alone);
		krn_json_escape(&alone, krn_str_from(&one, 1));
		assert_int_equal(alone.len == 1, c >= 0x20 && c < 0x80 &&
						     c != '"' && c != '\\');
		for (size_t i = 0; i < sizeof(text); i++) {
			memset(text, 'x', sizeof(text));
			text[i] = one;
			krn_buf_clear(&among);
			krn_json_escape(&among,
					krn_str_from(text, sizeof(text)));
			assert_int_equal(among.len,
					 sizeof(text) - 1 + alone.len);
			assert_memory_equal(among.data + i, alone.data,
					    alone.len);
			for (size_t k = 0; k < i; k++)
				assert_int_equal(among.data[k], 'x');
		}
	}
	krn_arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_refused),    cmocka_unit_test(test_depth),
	    cmocka_unit_test(test_round_trip), cmocka_unit_test(test_canonical),
	    cmocka_unit_test(test_canonical_stored),
	    cmocka_unit_test(test_memory),     cmocka_unit_test(test_escape),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
