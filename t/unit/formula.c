/* Formulas: a case a line; refusals with their place; against another way. */

#include "base/base.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "base/buf.h"
#include "decide/formula.h"
#include "t/unit/random.h"

/* What the names of the cases are worth. */
static const struct {
	const char *name;
	struct krn_formula_value value;
} formula_names[] = {
    {"n", {KRN_FORMULA_NUMBER, 3, {NULL, 0}}},
    {"half", {KRN_FORMULA_NUMBER, 0.5, {NULL, 0}}},
    {"zero", {KRN_FORMULA_NUMBER, 0, {NULL, 0}}},
    {"huge", {KRN_FORMULA_NUMBER, 1e308, {NULL, 0}}},
    {"tier", {KRN_FORMULA_TEXT, 0, {"gold", 4}}},
    {"digits", {KRN_FORMULA_TEXT, 0, {"12.5", 4}}},
    {"empty", {KRN_FORMULA_TEXT, 0, {"", 0}}},
    {"nothing", {KRN_FORMULA_NULL, 0, {NULL, 0}}},
    {"customer.first name", {KRN_FORMULA_TEXT, 0, {"Ada", 3}}},
    {"customer.a.b", {KRN_FORMULA_NUMBER, 7, {NULL, 0}}},
};

static enum krn_err
name_find(void *data KRN_UNUSED, struct krn_str name, uint32_t *ret,
	  struct krn_error *err)
{
	for (uint32_t i = 0; i < KRN_NR(formula_names); i++)
		if (krn_str_eq_c(name, formula_names[i].name)) {
			*ret = i;
			return KRN_OK;
		}
	return krn_refuse(err, KRN_ERR_INVALID, "\"%.*s\" means nothing",
			  KRN_STR_ARG(name));
}

static int names_loaded;

static struct krn_formula_value
name_load(void *data KRN_UNUSED, uint32_t name)
{
	names_loaded++;
	return formula_names[name].value;
}

static char formula_room[200];

static struct krn_formula_run
run_make(void)
{
	return (struct krn_formula_run){.load = name_load,
					.room = formula_room,
					.room_size = sizeof(formula_room)};
}

/* null, 0.5, 'text'; "!n" behind it for failures. */
static const char *
value_text(struct krn_formula_value value, int64_t failures)
{
	static char text[400];
	char number[KRN_DOUBLE_TEXT_BYTES];
	size_t len = 0;

	if (value.type == KRN_FORMULA_NUMBER)
		len = krn_format_double(value.number, number);
	snprintf(text, sizeof(text),
		 value.type == KRN_FORMULA_TEXT ? "'%.*s'" : "%.*s",
		 KRN_STR_ARG(value.type == KRN_FORMULA_NULL ? KRN_STR("null")
			     : value.type == KRN_FORMULA_TEXT
				 ? value.text
				 : krn_str_from(number, len)));
	if (failures)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 " !%d", (int)failures);
	return text;
}

static void
case_run(const char *formula, const char *expect)
{
	struct krn_arena *arena = krn_arena_new(0);
	const struct krn_formula *parsed = NULL;
	struct krn_formula_run run = run_make();
	struct krn_error err = {0};

	if (krn_formula_parse(arena, krn_str_c(formula), name_find, NULL,
			      &parsed, &err))
		fail_msg("%s: %s", formula, err.message);
	const struct krn_formula_value value = krn_formula_eval(parsed, &run);
	const char *is = value_text(value, run.failures);

	assert_false(run.is_full);
	if (strcmp(is, expect) != 0)
		fail_msg("%s: %s instead of %s", formula, is, expect);
	krn_arena_free(arena);
}

static void
test_values(void **state KRN_UNUSED)
{
	static const char *const cases[][2] = {
	    {"1", "1"},
	    {" 1.5e2 ", "150"},
	    {".5", "0.5"},
	    {"2.", "2"},
	    {"'a\"b'", "'a\"b'"},
	    {"\"it's\"", "'it's'"},
	    {"''", "''"},
	    {"true", "1"},
	    {"false", "0"},
	    {"null", "null"},
	    {"n", "3"},
	    {"`n`", "3"},
	    {"customer.`first name`", "'Ada'"},
	    {"customer.a.b", "7"},
	    {"customer.`a.b`", "7"},
	    /* precedence, from the left */
	    {"1+2*3", "7"},
	    {"(1+2)*3", "9"},
	    {"10-3-2", "5"},
	    {"100/10/5", "2"},
	    {"7%4*2", "6"},
	    {"-n+5", "2"},
	    {"--n", "3"},
	    {"-n*-n", "9"},
	    {"1<2==1", "1"},
	    {"1||0&&0", "1"},
	    {"1 ? 2 : 3 ? 4 : 5", "2"},
	    {"0 ? 2 : 0 ? 4 : 5", "5"},
	    {"1+1 ? 1+2 : 4", "3"},
	    {"1 ? 0 ? 1 : 2 : 3", "2"},
	    /* numbers */
	    {"0.1+0.2", "0.30000000000000004"},
	    {"n/zero", "null"},
	    {"n%zero", "null"},
	    {"zero/zero", "null"},
	    {"-7%3", "-1"},
	    {"7%-3", "1"},
	    {"5.5%2", "1.5"},
	    {"huge*10", "null"},
	    {"huge+huge", "null"},
	    {"-huge-huge", "null"},
	    {"-zero", "0"},
	    /* null */
	    {"nothing+1", "null"},
	    {"-nothing", "null"},
	    {"!nothing", "1"},
	    {"nothing==null", "1"},
	    {"nothing!=null", "0"},
	    {"nothing==0", "0"},
	    {"nothing!=0", "1"},
	    {"nothing<1", "0"},
	    {"nothing>=1", "0"},
	    {"null<=null", "0"},
	    {"nothing ? 1 : 2", "2"},
	    {"nothing && 1", "0"},
	    {"nothing || 1", "1"},
	    /* texts */
	    {"'a'+'b'+'c'", "'abc'"},
	    {"tier+1", "null !1"},
	    {"digits+1", "13.5"},
	    {"1+digits", "13.5"},
	    {"digits+'1'", "'12.51'"},
	    {"digits*2", "25"},
	    {"tier*2", "null !1"},
	    {"-tier", "null !1"},
	    {"empty*2", "null !1"},
	    {"tier=='gold'", "1"},
	    {"tier!='gold'", "0"},
	    {"tier<'silver'", "1"},
	    {"'B'<'a'", "1"},
	    {"'a'<'ab'", "1"},
	    {"digits==12.5", "1"},
	    {"digits>12", "1"},
	    {"digits=='12.50'", "0"},
	    {"tier==1", "0 !1"},
	    {"tier!=1", "1 !1"},
	    {"tier>1", "0 !1"},
	    {"tier<=1", "0 !1"},
	    {"!tier", "0"},
	    {"!empty", "1"},
	    {"empty ? 1 : 2", "2"},
	    {"'0' ? 1 : 2", "1"},
	    {"'inf'*1", "null !1"},
	    {"'nan'*1", "null !1"},
	    {"'0x10'*1", "null !1"},
	    /* logic */
	    {"2&&3", "1"},
	    {"2&&0", "0"},
	    {"0||'x'", "1"},
	    {"0||0", "0"},
	    {"1&&1&&0", "0"},
	    {"0||0||2", "1"},
	    {"!(1&&0)", "1"},
	    /* functions */
	    {"min(3)", "3"},
	    {"min(3,1,2)", "1"},
	    {"max(3,1,digits)", "12.5"},
	    {"min(3,nothing)", "null"},
	    {"max(nothing,3)", "null"},
	    {"max(tier,3)", "null !1"},
	    {"abs(-2)", "2"},
	    {"abs(nothing)", "null"},
	    {"floor(-1.5)", "-2"},
	    {"ceil(1.2)", "2"},
	    {"round(2.5)", "3"},
	    {"round(-2.5)", "-3"},
	    {"round(2.345, 2)", "2.35"},
	    {"round(0.1+0.2, 2)", "0.3"},
	    {"round(1e300, 15)", "1e+300"},
	    {"round(1, -1)", "null"},
	    {"round(1, 16)", "null"},
	    {"round(1, nothing)", "null"},
	    {"round(tier)", "null !1"},
	    {"coalesce(nothing, null, 2, 3)", "2"},
	    {"coalesce(nothing)", "null"},
	    {"coalesce(tier, 3)", "'gold'"},
	    {"1+coalesce(nothing, 2)*2", "5"},
	    {"coalesce(coalesce(null, null), coalesce(null, 4))", "4"},
	    {"concat('a', nothing, 1.50, tier)", "'a1.5gold'"},
	    {"concat(nothing)", "''"},
	    {"concat('a', concat('b', concat('c', n)))", "'abc3'"},
	    {"concat(n ? 'x' : 'y', 1 < 2)", "'x1'"},
	    {"min (1, 2)", "1"},
	};

	for (size_t i = 0; i < KRN_NR(cases); i++)
		case_run(cases[i][0], cases[i][1]);
}

/* What is not chosen is not looked at. */
static void
test_lazy(void **state KRN_UNUSED)
{
	static const char *const cases[][2] = {
	    {"1 ? 2 : n", "2"},
	    {"0 ? n : 2", "2"},
	    {"0 && n", "0"},
	    {"1 || n", "1"},
	    {"coalesce(1, n, n)", "1"},
	    {"0 && n || 1 || n ? 1 : n", "1"},
	};

	for (size_t i = 0; i < KRN_NR(cases); i++) {
		names_loaded = 0;
		case_run(cases[i][0], cases[i][1]);
		assert_int_equal(names_loaded, 0);
	}
}

static void
refused_run(struct krn_str formula, const char *expect)
{
	struct krn_arena *arena = krn_arena_new(0);
	const struct krn_formula *parsed = NULL;
	struct krn_error err = {0};

	if (krn_formula_parse(arena, formula, name_find, NULL, &parsed, &err) !=
	    KRN_ERR_INVALID)
		fail_msg("%.*s: is not refused", KRN_STR_ARG(formula));
	if (strcmp(err.message, expect) != 0)
		fail_msg("%.*s: %s instead of %s", KRN_STR_ARG(formula),
			 err.message, expect);
	assert_null(parsed);
	krn_arena_free(arena);
}

static void
test_refused(void **state KRN_UNUSED)
{
	static const char *const cases[][2] = {
	    {"", "at character 1: a value must stand here, not the end"},
	    {"  ", "at character 3: a value must stand here, not the end"},
	    {"1+", "at character 3: a value must stand here, not the end"},
	    {"1 2", "at character 3: an operator must follow, not \"2\""},
	    {"(1", "at character 3: \")\" must follow, not the end"},
	    {"1)", "at character 2: an operator must follow, not \")\""},
	    {"1 ? 2", "at character 6: \":\" must follow, not the end"},
	    {"1 : 2", "at character 3: an operator must follow, not \":\""},
	    {"*2", "at character 1: a value must stand here, not \"*\""},
	    {"n = 2", "at character 3: equal is written =="},
	    {"n & 2", "at character 3: a sign that means nothing here"},
	    {"n; n", "at character 2: a sign that means nothing here"},
	    {"'é' # 1", "at character 5: a sign that means nothing here"},
	    {"'abc", "at character 1: the text does not end"},
	    {"1 + \"abc'", "at character 5: the text does not end"},
	    {"`n", "at character 1: the name does not end with `"},
	    {"``", "at character 2: a part of a name is missing"},
	    {"customer.", "at character 10: a part of a name is missing"},
	    {"customer.1", "at character 1: \"customer.1\" means nothing"},
	    {"customer..a", "at character 10: a part of a name is missing"},
	    {"1.2.3", "at character 4: an operator must follow, not \".3\""},
	    {"1e", "at character 1: a number must be decimal, not \"1e\""},
	    {"1x", "at character 1: a number must be decimal, not \"1x\""},
	    {"0x10", "at character 1: a number must be decimal, not \"0x10\""},
	    {"1e999",
	     "at character 1: a number must be decimal, not \"1e999\""},
	    {"1 + other", "at character 5: \"other\" means nothing"},
	    {"sin(1)", "at character 1: there is no such function"},
	    {"`min`()", "at character 7: a value must stand here, not \")\""},
	    {"min()", "at character 5: a value must stand here, not \")\""},
	    {"min(1",
	     "at character 6: \",\" or \")\" must follow, not the end"},
	    {"min(1,)", "at character 7: a value must stand here, not \")\""},
	    {"1 + abs(1, 2)", "at character 5: too many arguments"},
	    {"max(1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17)",
	     "at character 1: too many arguments"},
	    {"coalesce(1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17)",
	     "at character 1: too many arguments"},
	    {"((((((((((((((((((((((((((((((((1)))))))))))))))))))))))))))))))"
	     ")",
	     "at character 33: the formula nests too deep"},
	    {"--------------------------------1",
	     "at character 32: the formula nests too deep"},
	    {"max(1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,max(1,1,1,1,1,1,1,1,1,1,1,1,1,"
	     "1,1,max(1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,max(1,1,1,1,1,1,1,1,1,1,1,"
	     "1,1,1,1,max(1,1,1,1,1,1))))))",
	     "at character 150: the formula is too complicated"},
	};
	static char text[KRN_FORMULA_BYTES_MAX + 2];

	for (size_t i = 0; i < KRN_NR(cases); i++)
		refused_run(krn_str_c(cases[i][0]), cases[i][1]);
	memset(text, '1', sizeof(text));
	refused_run(krn_str_from(text, KRN_FORMULA_BYTES_MAX + 1),
		    "a formula has at most 1000 bytes");
	/* one of as many steps as the bytes allow */
	for (size_t i = 0; i < KRN_FORMULA_BYTES_MAX - 1; i++)
		text[i] = i % 2 ? '+' : '1';
	text[KRN_FORMULA_BYTES_MAX - 1] = '\0';
	case_run(text, "500");
}

/*
 * A text that does not fit is none; what was made on the way, 24 bytes with
 * the 10 of the result, is given back.
 */
static void
test_room(void **state KRN_UNUSED)
{
	struct krn_arena *arena = krn_arena_new(0);
	const struct krn_formula *parsed = NULL;
	struct krn_formula_run run = run_make();

	assert_int_equal(krn_formula_parse(arena,
					   KRN_STR("concat(tier, n, '-') + "
						   "concat(half, '!')"),
					   name_find, NULL, &parsed, NULL),
			 KRN_OK);
	for (size_t i = 1; i <= 18; i++) {
		const struct krn_formula_value value =
		    krn_formula_eval(parsed, &run);

		assert_string_equal(value_text(value, 0), "'gold3-0.5!'");
		assert_ptr_equal(value.text.s, formula_room + 10 * (i - 1));
		assert_int_equal(run.room_used, 10 * i);
	}
	assert_string_equal(value_text(krn_formula_eval(parsed, &run), 0),
			    "null");
	assert_true(run.is_full);
	krn_arena_free(arena);
}

static void
test_no_memory(void **state KRN_UNUSED)
{
	bool done = false;

	for (int64_t n = 1; !done; n++) {
		struct krn_arena *arena = krn_arena_new(0);
		const struct krn_formula *parsed = NULL;

		krn_arena_fail_nth(n);
		const enum krn_err e = krn_formula_parse(
		    arena,
		    KRN_STR("customer.`first name` == 'Ada' && n < 2 ? 1 : "
			    "coalesce(`n`, 2)"),
		    name_find, NULL, &parsed, NULL);

		krn_arena_fail_nth(0);
		done = e == KRN_OK;
		assert_true(done || e == KRN_ERR_UNAVAILABLE ||
			    e == KRN_ERR_TOOBIG);
		assert_true(done || n < 20);
		krn_arena_free(arena);
	}
}

/*
 * Random formulas, written down with more signs than they need, and computed
 * on the way: as numbers, NAN for null.
 */

static double
finite_or_nan(double value)
{
	return isfinite(value) ? value : NAN;
}

static bool
truth(double value)
{
	return !isnan(value) && value != 0;
}

static double random_formula(struct krn_buf *to, int depth);

static double
random_leaf(struct krn_buf *to)
{
	static const char *const names[] = {"n", "half", "zero", "huge",
					    "nothing"};
	static const double worth[] = {3, 0.5, 0, 1e308, NAN};
	const int i = random_below(5);

	if (random_below(2)) {
		krn_buf_add_c(to, names[i]);
		return worth[i];
	}
	krn_buf_add_int(to, i);
	return i;
}

static double
random_function(struct krn_buf *to, int depth)
{
	static const char *const names[] = {"min", "max", "coalesce", "abs",
					    "floor"};
	const int which = random_below(5), nr = which < 3 ? 1 + random_below(3) : 1;
	double result = NAN;

	krn_buf_add_c(to, names[which]);
	krn_buf_add_char(to, '(');
	for (int i = 0; i < nr; i++) {
		krn_buf_add_c(to, i ? " , " : "");
		const double it = random_formula(to, depth - 1);

		if (i == 0)
			result = it;
		else if (which == 2)
			result = isnan(result) ? it : result;
		else if (isnan(result) || isnan(it))
			result = NAN;
		else
			result = which ? fmax(result, it) : fmin(result, it);
	}
	krn_buf_add_char(to, ')');
	return which == 3 ? fabs(result) : which == 4 ? floor(result) : result;
}

static double
random_binary(struct krn_buf *to, int depth)
{
	static const char *const signs[] = {
	    "+", "-", "*", "/", "%", "==", "!=", "<=", "<", ">=", "||", "&&"};
	const int which = random_below(12);

	krn_buf_add_char(to, '(');
	const double a = random_formula(to, depth - 1);

	krn_buf_add_c(to, signs[which]);
	const double b = random_formula(to, depth - 1);
	const bool none = isnan(a) || isnan(b);

	krn_buf_add_char(to, ')');
	switch (which) {
	case 0:
		return finite_or_nan(a + b);
	case 1:
		return finite_or_nan(a - b);
	case 2:
		return finite_or_nan(a * b);
	case 3:
		return b == 0 ? NAN : finite_or_nan(a / b);
	case 4:
		return b == 0 ? NAN : finite_or_nan(fmod(a, b));
	case 5:
		return none ? isnan(a) && isnan(b) : a == b;
	case 6:
		return none ? isnan(a) != isnan(b) : a != b;
	case 7:
		return !none && a <= b;
	case 8:
		return !none && a < b;
	case 9:
		return !none && a >= b;
	case 10:
		return truth(a) || truth(b);
	default:
		return truth(a) && truth(b);
	}
}

static double
random_formula(struct krn_buf *to, int depth)
{
	const int which = depth ? random_below(6) : 0;

	if (which == 0)
		return random_leaf(to);
	if (which == 1)
		return random_function(to, depth);
	if (which < 5)
		return random_binary(to, depth);
	krn_buf_add_c(to, "(!");
	const double c = random_formula(to, depth - 1);

	krn_buf_add_c(to, " ? ");
	const double a = random_formula(to, depth - 1);

	krn_buf_add_c(to, " : - ");
	const double b = random_formula(to, depth - 1);

	krn_buf_add_char(to, ')');
	return truth(c) ? -b : a;
}

static void
test_random(void **state KRN_UNUSED)
{
	int nr = 0, nulls = 0;

	for (uint64_t seed = 1; seed <= 20000; seed++) {
		struct krn_arena *arena = krn_arena_new(0);
		const struct krn_formula *parsed = NULL;
		struct krn_formula_run run = run_make();
		struct krn_error err = {0};
		struct krn_str text = {NULL, 0};
		struct krn_buf buf;

		random_state = seed * UINT64_C(0x9E3779B97F4A7C15);
		krn_buf_init(&buf, arena);
		const double wanted = random_formula(&buf, 1 + random_below(5));

		assert_int_equal(krn_buf_end(&buf, &text, NULL), KRN_OK);
		if (text.len > KRN_FORMULA_BYTES_MAX) {
			krn_arena_free(arena);
			continue;
		}
		if (krn_formula_parse(arena, text, name_find, NULL, &parsed,
				      &err))
			fail_msg("seed %d: %s: %.*s", (int)seed, err.message,
				 KRN_STR_ARG(text));
		const struct krn_formula_value is =
		    krn_formula_eval(parsed, &run);

		nr++;
		nulls += isnan(wanted);
		if (isnan(wanted)
			? is.type != KRN_FORMULA_NULL
			: is.type != KRN_FORMULA_NUMBER || is.number != wanted)
			fail_msg("seed %d: %s instead of %g: %.*s", (int)seed,
				 value_text(is, 0), wanted, KRN_STR_ARG(text));
		krn_arena_free(arena);
	}
	assert_true(nr > 15000 && nulls > 1000 && nulls < nr / 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_values),    cmocka_unit_test(test_lazy),
	    cmocka_unit_test(test_refused),   cmocka_unit_test(test_room),
	    cmocka_unit_test(test_no_memory), cmocka_unit_test(test_random),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
