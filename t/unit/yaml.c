/* YAML in and out: the core schema, the limits, what comes back. */

#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "base/json_out.h"
#include "gitops/yaml_in.h"
#include "gitops/yaml_out.h"

static const struct {
	const char *yaml, *json; /* NULL: refused */
} cases[] = {
    {"a: 1", "{\"a\":1}"},
    {"a: no\nb: on\nc: Yes", "{\"a\":\"no\",\"b\":\"on\",\"c\":\"Yes\"}"},
    {"a: true\nb: ~\nc:", "{\"a\":true,\"b\":null,\"c\":null}"},
    {"a: 2026-03-30", "{\"a\":\"2026-03-30\"}"},
    {"a: 017\nb: 0o17\nc: 0x1F", "{\"a\":17,\"b\":15,\"c\":31}"},
    {"a: 1_000\nb: 1:30", "{\"a\":\"1_000\",\"b\":\"1:30\"}"},
    {"a: 1e3\nb: .5\nc: 1e2e3", "{\"a\":1000,\"b\":0.5,\"c\":\"1e2e3\"}"},
    {"a: \"1\"\nb: !!str 1", "{\"a\":\"1\",\"b\":\"1\"}"},
    {"a: &x [1]\nb: *x", "{\"a\":[1],\"b\":[1]}"},
    {"- - 1\n  - 2\n- {a: b}", "[[1,2],{\"a\":\"b\"}]"},
    {"a: .inf", NULL},
    {"a: 99999999999999999999", NULL},
    {"a: 1\na: 2", NULL},
    {"<<: {a: 1}", NULL},
    {"a: 1\n---\nb: 2", NULL},
    {"a: !!python/object x", NULL},
    {"a: *nothing", NULL},
    {"a:\n\t- b", NULL},
    {"[a]: b", NULL},
    {"", NULL},
    {"a: \"x\\0y\"", NULL},
};

static void
test_cases(void **state KRN_UNUSED)
{
	for (size_t i = 0; i < KRN_NR(cases); i++) {
		struct krn_arena *arena = krn_arena_new(0);
		struct krn_value value;
		struct krn_error err;
		struct krn_buf buf;
		const enum krn_err e = krn_yaml_parse(
		    arena, krn_str_c(cases[i].yaml), &value, &err);

		if ((e == KRN_OK) != (cases[i].json != NULL))
			fail_msg("case %zu: %s", i, cases[i].yaml);
		krn_buf_init(&buf, arena);
		if (!e) {
			krn_json_canonical(&buf, &value);
			krn_buf_add_char(&buf, '\0');
			assert_string_equal(buf.data, cases[i].json);
		}
		krn_arena_free(arena);
	}
}

static void
test_bombs(void **state KRN_UNUSED)
{
	struct krn_arena *arena = krn_arena_new((size_t)64 << 20);
	struct krn_value value;
	struct krn_buf buf;

	krn_buf_init(&buf, arena);
	krn_buf_add_c(&buf, "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
	for (int i = 1; i < 12; i++) {
		krn_buf_printf(&buf, "a%d: &a%d [", i, i);
		for (int k = 0; k < 10; k++)
			krn_buf_printf(&buf, "%s*a%d", k ? ", " : "", i - 1);
		krn_buf_add_c(&buf, "]\n");
	}
	assert_int_equal(krn_yaml_parse(arena, krn_str_from(buf.data, buf.len),
					&value, NULL),
			 KRN_ERR_INVALID);
	krn_buf_clear(&buf);
	for (int i = 0; i < 200; i++)
		krn_buf_add_char(&buf, '[');
	assert_int_equal(krn_yaml_parse(arena, krn_str_from(buf.data, buf.len),
					&value, NULL),
			 KRN_ERR_INVALID);
	/* half of the depth as written, the other half by an alias */
	krn_buf_clear(&buf);
	krn_buf_add_c(&buf, "- &a ");
	for (int part = 0; part < 2; part++) {
		for (int i = 0; i < 40; i++)
			krn_buf_add_char(&buf, '[');
		krn_buf_add_c(&buf, part ? "*a" : "x");
		for (int i = 0; i < 40; i++)
			krn_buf_add_char(&buf, ']');
		krn_buf_add_c(&buf, part ? "\n" : "\n- ");
	}
	assert_int_equal(krn_yaml_parse(arena, krn_str_from(buf.data, buf.len),
					&value, NULL),
			 KRN_ERR_INVALID);
	krn_arena_free(arena);
}

static void
test_written(void **state KRN_UNUSED)
{
	static const char *const texts[] = {
	    "no", "y", "1", "0x1", "1e3", "null", "~", "2026-03-30", " x", "x ",
	    "a: b", "a #b", "#", "- x", "", "\n", "x\ty", "\xc3\xa9", "True",
	    "plain text", "a/b.c-d", "'", "\"", "{", "*x", "&x", "!x", "%x", "@",
	    ".inf", "12:30", "=", "<<"};
	struct krn_arena *arena = krn_arena_new(0);
	struct krn_value items[KRN_NR(texts)], again;
	struct krn_buf buf;

	for (size_t i = 0; i < KRN_NR(texts); i++)
		items[i] = krn_value_str(krn_str_c(texts[i]));
	const struct krn_value list = {.type = KRN_VALUE_ARRAY,
				       .array = {items, KRN_NR(items)}};
	const struct krn_member members[] = {{KRN_STR("no"), list},
					     {KRN_STR("b c"), list}};
	const struct krn_value object = {.type = KRN_VALUE_OBJECT,
					 .object = {members, 2}};

	krn_buf_init(&buf, arena);
	krn_yaml_write(&buf, &object);
	assert_int_equal(krn_yaml_parse(arena, krn_str_from(buf.data, buf.len),
					&again, NULL),
			 KRN_OK);
	assert_true(krn_value_eq(&object, &again));
	krn_arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_cases),
	    cmocka_unit_test(test_bombs),
	    cmocka_unit_test(test_written),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
