/* What a qualification rule does: stages, scopes, required segments. */

#include "base/base.h"

#include "decide_case.h"

static void
run_with(const char *customer, const struct decide_case *cases, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		struct decide_case test = cases[i];

		test.customer = customer;
		decide_case_run(&test, 1);
	}
}

#define ADULT "'attribute':'age','operator':'gte','value':18"
#define CHILD "'attribute':'age','operator':'lt','value':18"
#define LOCAL "'attribute':'city','operator':'eq','value':'Bern'"

static void
test_stages(void **state KRN_UNUSED)
{
	static const struct decide_case cases[] = {
	    {.name = "no rule", .expect = "a/m=0.5 b/m=0.4"},
	    {.name = "eligibility drops",
	     .rules = CASE_IF("r", CASE_GLOBAL, "eligibility", CHILD),
	     .expect = "-a/m:r -b/m:r"},
	    {.name = "the first that fails is named",
	     .rules =
		 CASE_IF("r1", CASE_GLOBAL, "eligibility", ADULT) "," CASE_IF(
		     "r2", CASE_OF("offer", "b"), "fit",
		     CHILD) "," CASE_IF("r3", CASE_GLOBAL, "eligibility",
					CHILD),
	     .expect = "-a/m:r3 -b/m:r2"},
	    {.name = "fit without decay drops",
	     .rules = CASE_IF("r", CASE_GLOBAL, "fit", CHILD),
	     .expect = "-a/m:r -b/m:r"},
	    {.name = "fit with decay",
	     .rules = CASE_IF("r", CASE_GLOBAL, "fit", CHILD ",'decay':0.5"),
	     .expect = "a/m=0.25 b/m=0.2"},
	    {.name = "fit that passes",
	     .rules = CASE_IF("r", CASE_GLOBAL, "fit", ADULT ",'decay':0.5"),
	     .expect = "a/m=0.5 b/m=0.4"},
	    {.name = "fits multiply",
	     .rules = CASE_IF(
		 "r", CASE_GLOBAL, "fit",
		 CHILD ",'decay':0.5") "," CASE_IF("s", CASE_GLOBAL, "fit",
						   LOCAL ",'decay':0.25"),
	     .expect = "a/m=0.0625 b/m=0.05"},
	    {.name = "match that passes",
	     .rules =
		 CASE_IF("r", CASE_GLOBAL, "match", ADULT ",'multiplier':10"),
	     .expect = "a/m=5 b/m=4"},
	    {.name = "match that fails",
	     .rules =
		 CASE_IF("r", CASE_GLOBAL, "match", CHILD ",'multiplier':10"),
	     .expect = "a/m=0.5 b/m=0.4"},
	    {.name = "match without multiplier",
	     .rules = CASE_IF("r", CASE_GLOBAL, "match", ADULT),
	     .expect = "a/m=0.5 b/m=0.4"},
	    {.name = "match of 0 leaves a candidate",
	     .rules = CASE_IF("r", CASE_OF("offer", "a"), "match",
			      ADULT ",'multiplier':0"),
	     .expect = "b/m=0.4 a/m=0"},
	    {.name = "a missing attribute matches",
	     .rules = CASE_IF("r", CASE_GLOBAL, "match",
			      "'attribute':'none','operator':'eq','value':1,"
			      "'multiplier':2"),
	     .expect = "a/m=1 b/m=0.8"},
	    {.name = "fit and match, in this order",
	     .rules = CASE_IF(
		 "r", CASE_GLOBAL, "fit",
		 CHILD ",'decay':0.5") "," CASE_IF("s", CASE_GLOBAL, "match",
						   ADULT ",'multiplier':3"),
	     .expect = "a/m=0.75 b/m=0.6000000000000001"},
	    {.name = "no qualify node, no rules",
	     .nodes = "{'type':'rank'},{'type':'response'}",
	     .rules = CASE_IF("r", CASE_GLOBAL, "eligibility", CHILD),
	     .expect = "a/m=0.5 b/m=0.4"},
	    {.name = "bounds of decay and multiplier",
	     .rules = CASE_IF(
		 "r", CASE_GLOBAL, "fit",
		 CHILD ",'decay':0.1") "," CASE_IF("s", CASE_GLOBAL, "fit",
						   CHILD ",'decay':1"),
	     .expect = "a/m=0.05 b/m=0.04000000000000001"},
	    {.name = "decay too small",
	     .rules = CASE_IF("r", CASE_GLOBAL, "fit", ADULT ",'decay':0.05"),
	     .refused = "rule \"r\": decay is out of range"},
	    {.name = "decay too large",
	     .rules = CASE_IF("r", CASE_GLOBAL, "fit", ADULT ",'decay':1.5"),
	     .refused = "decay is out of range"},
	    {.name = "multiplier too large",
	     .rules =
		 CASE_IF("r", CASE_GLOBAL, "match", ADULT ",'multiplier':10.5"),
	     .refused = "multiplier is out of range"},
	    {.name = "multiplier below 0",
	     .rules =
		 CASE_IF("r", CASE_GLOBAL, "match", ADULT ",'multiplier':-1"),
	     .refused = "multiplier is out of range"},
	    {.name = "stage ranking",
	     .rules = CASE_IF("r", CASE_GLOBAL, "ranking", ADULT),
	     .refused = "stage ranking is not supported"},
	};

	run_with("{'age':'30','city':'Zug'}", cases, KRN_NR(cases));
}

static void
test_scopes(void **state KRN_UNUSED)
{
	static const struct decide_case cases[] = {
	    {.name = "offer",
	     .rules = CASE_IF("r", CASE_OF("offer", "b"), "eligibility", CHILD),
	     .expect = "a/m=0.5 -b/m:r"},
	    {.name = "category",
	     .rules =
		 CASE_IF("r", CASE_OF("category", "g"), "eligibility", CHILD),
	     .expect = "b/m=0.4 -a/m:r"},
	    {.name = "channel",
	     .channels = CASE_CHANNEL("m") "," CASE_CHANNEL("n"),
	     .rules =
		 CASE_IF("r", CASE_OF("channel", "m"), "eligibility", CHILD),
	     .expect = "a/n=0.5 b/n=0.4 -a/m:r -b/m:r"},
	    {.name = "a better channel",
	     .channels = CASE_CHANNEL("m") "," CASE_CHANNEL("n"),
	     .rules = CASE_IF("r", CASE_OF("channel", "n"), "match",
			      ADULT ",'multiplier':2"),
	     .expect = "a/n=1 b/n=0.8"},
	    {.name = "of what is not there",
	     .rules = CASE_IF("r", CASE_OF("offer", "z"), "eligibility", CHILD),
	     .expect = "a/m=0.5 b/m=0.4"},
	    {.name = "segment",
	     .rules = CASE_IF("r", CASE_OF("segment", "1"), "fit", CHILD),
	     .segments = "['vip']",
	     .expect = "-a/m:r -b/m:r"},
	    {.name = "segment: others are not looked at",
	     .rules = CASE_IF("r", CASE_OF("segment", "1"), "fit", CHILD),
	     .segments = "['new']",
	     .expect = "a/m=0.5 b/m=0.4"},
	    {.name = "segment: nor multiplied",
	     .rules = CASE_IF("r", CASE_OF("segment", "1"), "match",
			      ADULT ",'multiplier':2"),
	     .expect = "a/m=0.5 b/m=0.4"},
	    {.name = "segment: its members are",
	     .rules = CASE_IF("r", CASE_OF("segment", "1"), "match",
			      ADULT ",'multiplier':2"),
	     .segments = "['vip']",
	     .expect = "a/m=1 b/m=0.8"},
	    {.name = "segment: is not there",
	     .rules = CASE_IF("r", CASE_OF("segment", "9"), "fit", CHILD),
	     .refused = "\"r\": no segment \"9\""},
	    {.name = "subcategory",
	     .offers =
		 CASE_OFFER("a", "50", ",'subCategoryId':'s'") "," CASE_OFFER(
		     "b", "40", ""),
	     .rules = CASE_IF("r", CASE_OF("subcategory", "s"), "fit", CHILD),
	     .expect = "b/m=0.4 -a/m:r"},
	    {.name = "creative: no pair has one",
	     .rules = CASE_IF("r", CASE_OF("creative", "1"), "fit", CHILD),
	     .expect = "a/m=0.5 b/m=0.4"},
	    {.name = "placement: no pair has one",
	     .rules = CASE_IF("r", CASE_OF("placement", "1"), "fit", CHILD),
	     .expect = "a/m=0.5 b/m=0.4"},
	    {.name = "something else",
	     .rules = CASE_IF("r", CASE_OF("planet", "1"), "fit", ADULT),
	     .refused = "\"r\": scope planet is not supported yet"},
	};

	run_with("{'age':'30'}", cases, KRN_NR(cases));
}

#define SEGMENTS(stage, list)                                                  \
	CASE_RULE("r", CASE_OF("offer", "a"), stage, "segment_required",       \
		  "'requiredSegments':" list)

static void
test_segments(void **state KRN_UNUSED)
{
	static const struct decide_case cases[] = {
	    {.name = "not a member",
	     .rules = SEGMENTS("eligibility", "['vip']"),
	     .segments = "['new']",
	     .expect = "b/m=0.4 -a/m:r"},
	    {.name = "a member",
	     .rules = SEGMENTS("eligibility", "['vip']"),
	     .segments = "['vip']",
	     .expect = "a/m=0.5 b/m=0.4"},
	    {.name = "one of two",
	     .rules = SEGMENTS("eligibility", "['vip','new']"),
	     .segments = "['new']",
	     .expect = "b/m=0.4 -a/m:r"},
	    {.name = "both",
	     .rules = SEGMENTS("eligibility", "['vip','new']"),
	     .segments = "['new','vip']",
	     .expect = "a/m=0.5 b/m=0.4"},
	    {.name = "none required",
	     .rules = SEGMENTS("eligibility", "[]"),
	     .expect = "a/m=0.5 b/m=0.4"},
	    {.name = "fit",
	     .rules = SEGMENTS("fit", "['vip'],'decay':0.5"),
	     .expect = "b/m=0.4 a/m=0.25"},
	    {.name = "match",
	     .rules = SEGMENTS("match", "['vip'],'multiplier':2"),
	     .segments = "['vip']",
	     .expect = "a/m=1 b/m=0.4"},
	    {.name = "two rules with their own segments",
	     .rules = SEGMENTS("eligibility", "['new']") "," CASE_RULE(
		 "s", CASE_OF("offer", "b"), "eligibility", "segment_required",
		 "'requiredSegments':['vip']"),
	     .segments = "['vip']",
	     .expect = "b/m=0.4 -a/m:r"},
	    {.name = "unknown segment",
	     .rules = SEGMENTS("eligibility", "['old']"),
	     .refused = "\"r\": no segment \"old\""},
	    {.name = "no text",
	     .rules = SEGMENTS("eligibility", "[1]"),
	     .refused = "no segment \"\""},
	    {.name = "no list",
	     .rules = SEGMENTS("eligibility", "'vip'"),
	     .refused = "requiredSegments must be a list"},
	};

	DECIDE_CASES(cases);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_stages),
	    cmocka_unit_test(test_scopes),
	    cmocka_unit_test(test_segments),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
