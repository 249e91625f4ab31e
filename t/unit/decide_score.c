/* Scores: the formula, its weights, what stays finite. */

#include "base/base.h"

#include "decide_case.h"

#include <float.h>

#include "base/buf.h"

#define SCORE(config)                                                          \
	"{'id':'s','type':'score','config':{" config "}},{'type':'response'}"

static void
test_priority_weighted(void **state KRN_UNUSED)
{
	static const struct decide_case cases[] = {
	    {.name = "by default",
	     .nodes = SCORE(""),
	     .expect = "a/m=0.5 b/m=0.4"},
	    {.name = "by name",
	     .nodes = SCORE("'method':'priority_weighted'"),
	     .expect = "a/m=0.5 b/m=0.4"},
	    {.name = "the formula's weights are of no matter",
	     .nodes = SCORE("'method':'priority_weighted','formula':{"
			    "'impactWeight':-1},'strategyProfileId':'z'"),
	     .expect = "a/m=0.5 b/m=0.4"},
	    {.name = "priorities from 0 to 100",
	     .nodes = SCORE(""),
	     .offers = CASE_OFFER("a", "0", "") "," CASE_OFFER(
		 "b", "100",
		 "") "," CASE_OFFER("c", "1", "") "," CASE_OFFER("d", "7", ""),
	     .expect = "b/m=1 d/m=0.07 c/m=0.01 a/m=0"},
	    {.name = "neither impact nor propensity count",
	     .nodes = SCORE(""),
	     .offers = CASE_OFFER("a", "29", ",'businessValue':100"),
	     .customer = "{'propensityScores.a':'1'}",
	     .expect = "a/m=0.29"},
	};

	DECIDE_CASES(cases);
}

#define IMPACT(id, value)                                                      \
	"{'id':'" id "','name':'" id "','status':'active','priority':50,"      \
	"'businessValue':" value "}"
#define FORMULA(weights) SCORE("'method':'formula','formula':{" weights "}")
#define HALF "'propensityWeight':1,'impactWeight':1"

static void
test_formula(void **state KRN_UNUSED)
{
	static const struct decide_case cases[] = {
	    {.name = "impact, clamped",
	     .nodes = FORMULA("'impactWeight':0.3"),
	     .offers =
		 IMPACT("a", "25") "," IMPACT("b", "200") "," IMPACT("c", "-5"),
	     .expect = "b/m=1 a/m=0.25 c/m=0"},
	    {.name = "emphasis is the priority",
	     .nodes = FORMULA("'emphasisWeight':1"),
	     .expect = "a/m=0.5 b/m=0.4"},
	    {.name = "propensity of its column",
	     .nodes = FORMULA("'propensityWeight':1"),
	     .customer = "{'propensityScores.a':'0.125',"
			 "'propensityScores.b':'0.25'}",
	     .expect = "b/m=0.25 a/m=0.125"},
	    {.name = "propensity of an offer without a column",
	     .nodes = FORMULA("'propensityWeight':1"),
	     .offers = CASE_OFFER("c", "10", ""),
	     .expect = "c/m=0.5"},
	    {.name = "propensity is NULL",
	     .nodes = FORMULA("'propensityWeight':1"),
	     .expect = "a/m=0.5 b/m=0.5"},
	    {.name = "propensity is not finite",
	     .nodes = FORMULA("'propensityWeight':1"),
	     .customer = "{'propensityScores.b':'Infinity'}",
	     .expect = "E:attribute \"propensityScores.b\" is not a finite "
		       "number"},
	    {.name = "propensity is no number: the first one is named",
	     .nodes = FORMULA("'propensityWeight':1"),
	     .customer = "{'propensityScores.a':'NaN',"
			 "'propensityScores.b':''}",
	     .expect = "E:attribute \"propensityScores.a\" is not a finite "
		       "number"},
	    {.name = "propensity is no number, but does not count",
	     .nodes = FORMULA("'emphasisWeight':1"),
	     .customer = "{'propensityScores.a':'1e999'}",
	     .expect = "a/m=0.5 b/m=0.4"},
	    {.name = "propensity is no number, of what is dropped",
	     .nodes = "{'type':'qualify'}," FORMULA("'propensityWeight':1"),
	     .rules = CASE_RULE("r", CASE_OF("offer", "b"), "eligibility",
				"propensity_threshold", "'minScore':0"),
	     .customer = "{'propensityScores.b':'x'}",
	     .expect = "a/m=0.5 -b/m:r !1"},
	    {.name = "propensity is clamped",
	     .nodes = FORMULA("'propensityWeight':1"),
	     .customer = "{'propensityScores.a':'-1',"
			 "'propensityScores.b':'1e300'}",
	     .expect = "b/m=1 a/m=0"},
	    {.name = "weights are divided by their sum",
	     .nodes = "{'type':'qualify'}," FORMULA(
		 "'propensityWeight':2,'relevanceWeight':2,'impactWeight':2,"
		 "'emphasisWeight':2"),
	     .offers = CASE_OFFER("a", "6.25", ",'businessValue':6.25"),
	     .customer = "{'propensityScores.a':'0.0625'}",
	     .rules = CASE_IF("r", CASE_GLOBAL, "match",
			      "'attribute':'none','operator':'not_exists',"
			      "'multiplier':0.0625"),
	     .expect = "a/m=0.0625"},
	    {.name = "two factors",
	     .nodes = FORMULA(HALF),
	     .offers = IMPACT("a", "25"),
	     .customer = "{'propensityScores.a':'0.25'}",
	     .expect = "a/m=0.25"},
	    {.name = "relevance is clamped",
	     .nodes = "{'type':'qualify'}," FORMULA("'relevanceWeight':1"),
	     .rules = CASE_IF("r", CASE_OF("offer", "b"), "match",
			      "'attribute':'none','operator':'not_exists',"
			      "'multiplier':10"),
	     .expect = "a/m=1 b/m=1"},
	    {.name = "relevance is fit times match",
	     .nodes = "{'type':'qualify'}," FORMULA("'relevanceWeight':1"),
	     .rules = CASE_IF(
		 "r", CASE_GLOBAL, "match",
		 "'attribute':'none','operator':'not_exists',"
		 "'multiplier':0.5") "," CASE_IF("s", CASE_OF("offer", "a"),
						 "fit",
						 "'attribute':'none','operator'"
						 ":'exists',"
						 "'decay':0.25"),
	     .expect = "b/m=0.5 a/m=0.125"},
	    {.name = "a factor of 0",
	     .nodes = FORMULA("'propensityWeight':1,'emphasisWeight':1"),
	     .offers = CASE_OFFER("a", "0", ""),
	     .expect = "a/m=0"},
	    {.name = "a weight of 0 leaves its factor out",
	     .nodes = FORMULA("'propensityWeight':1,'emphasisWeight':0"),
	     .offers = CASE_OFFER("a", "0", ""),
	     .expect = "a/m=0.5"},
	};

	DECIDE_CASES(cases);
}

#define PROFILE(weights)                                                       \
	"{'id':'o','name':'o','weights':{'impact':1}},"                        \
	"{'id':'w','name':'w','weights':{" weights "}}"
#define BY_PROFILE(id)                                                         \
	SCORE("'method':'formula','strategyProfileId':'" id "','formula':{"    \
	      "'impactWeight':1}")

static void
test_weights(void **state KRN_UNUSED)
{
	static const struct decide_case cases[] = {
	    {.name = "of a profile",
	     .nodes = BY_PROFILE("w"),
	     .profiles = PROFILE("'emphasis':0.5,'revenue':1"),
	     .expect = "a/m=0.5 b/m=0.4"},
	    {.name = "no such profile",
	     .nodes = BY_PROFILE("z"),
	     .profiles = PROFILE("'emphasis':1"),
	     .refused = "the ranking profile is not there"},
	    {.name = "a profile of other objectives",
	     .nodes = BY_PROFILE("w"),
	     .profiles = PROFILE("'revenue':1"),
	     .refused = "the weights of the formula are 0"},
	    {.name = "none",
	     .nodes = SCORE("'method':'formula'"),
	     .refused = "the weights of the formula are 0"},
	    {.name = "all 0",
	     .nodes = FORMULA("'propensityWeight':0,'relevanceWeight':0.0,"
			      "'impactWeight':0,'emphasisWeight':0"),
	     .refused = "the weights of the formula are 0"},
	    {.name = "below 0",
	     .nodes = FORMULA("'propensityWeight':1,'impactWeight':-0.1"),
	     .refused = "impactWeight must be a number from 0"},
	    {.name = "no number",
	     .nodes = FORMULA("'propensityWeight':1,'impactWeight':'1'"),
	     .refused = "impactWeight must be a number from 0"},
	    {.name = "a sum beyond the numbers",
	     .nodes = FORMULA("'propensityWeight':1.7e308,"
			      "'impactWeight':1.7e308"),
	     .refused = "propensityWeight must be a number from 0"},
	    {.name = "of a profile, below 0",
	     .nodes = BY_PROFILE("w"),
	     .profiles = PROFILE("'relevance':-1"),
	     .refused = "relevance must be a number from 0"},
	};

	DECIDE_CASES(cases);
}

/* Scores are finite whatever the multipliers, and 0 stays 0. */
static void
test_finite(void **state KRN_UNUSED)
{
	struct krn_arena *arena = krn_arena_new(0);
	char largest[KRN_DOUBLE_TEXT_BYTES], expect[100];
	struct krn_buf buf;
	struct krn_str text;

	krn_buf_init(&buf, arena);
	for (int i = 0; i < 400; i++)
		krn_buf_add_c(
		    &buf, CASE_IF("r", CASE_GLOBAL, "match",
				  "'attribute':'none','operator':'not_exists',"
				  "'multiplier':10") ",");
	krn_buf_add_c(&buf, CASE_IF("z", CASE_OF("offer", "c"), "match",
				    "'attribute':'none','operator':"
				    "'not_exists','multiplier':0"));
	assert_int_equal(krn_buf_end(&buf, &text, NULL), KRN_OK);
	krn_format_double(DBL_MAX, largest);
	snprintf(expect, sizeof(expect), "a/m=%s b/m=0 c/m=0", largest);
	const struct decide_case test = {
	    .name = "many multipliers",
	    .offers = CASE_OFFER("a", "100", "") "," CASE_OFFER(
		"b", "0", "") "," CASE_OFFER("c", "0", ""),
	    .rules = krn_str_cstr(arena, text),
	    .expect = expect,
	};

	decide_case_run(&test, 1);
	krn_arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_priority_weighted),
	    cmocka_unit_test(test_formula),
	    cmocka_unit_test(test_weights),
	    cmocka_unit_test(test_finite),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
