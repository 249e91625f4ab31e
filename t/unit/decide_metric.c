/* Rules beyond conditions: propensity, recency, metrics of interactions. */

#include "base/base.h"

#include "decide_case.h"

#define BOTH "a/m=0.5 b/m=0.4"
#define NEITHER "-a/m:r -b/m:r"
#define RULE(stage, type, config)                                              \
	CASE_RULE("r", CASE_GLOBAL, stage, type, config)
#define PROPENSITY(stage, config) RULE(stage, "propensity_threshold", config)
#define RECENCY(config) RULE("eligibility", "recency_check", config)
#define METRIC(config) RULE("eligibility", "metric_condition", config)

static void
test_propensity(void **state KRN_UNUSED)
{
	static const struct decide_case cases[] = {
	    {.name = "of each offer its own",
	     .rules = PROPENSITY("eligibility", "'minScore':0.3"),
	     .customer = "{'propensityScores.a':'0.2',"
			 "'propensityScores.b':'0.4'}",
	     .expect = "b/m=0.4 -a/m:r"},
	    {.name = "the limit itself",
	     .rules = PROPENSITY("eligibility", "'minScore':0.25"),
	     .customer = "{'propensityScores.a':'0.25',"
			 "'propensityScores.b':'0.2499'}",
	     .expect = "a/m=0.5 -b/m:r"},
	    {.name = "without a score it is 0.5",
	     .rules = PROPENSITY("eligibility", "'model':'x','minScore':0.5"),
	     .expect = BOTH},
	    {.name = "which may be too little",
	     .rules = PROPENSITY("eligibility", "'minScore':0.51"),
	     .expect = NEITHER},
	    {.name = "fit",
	     .rules = PROPENSITY("fit", "'minScore':0.3,'decay':0.5"),
	     .customer = "{'propensityScores.a':'0.2'}",
	     .expect = "b/m=0.4 a/m=0.25"},
	    {.name = "match",
	     .rules = PROPENSITY("match", "'minScore':0.6,'multiplier':2"),
	     .customer = "{'propensityScores.b':'0.6'}",
	     .expect = "b/m=0.8 a/m=0.5"},
	    {.name = "of one offer",
	     .rules = CASE_RULE("r", CASE_OF("offer", "a"), "eligibility",
				"propensity_threshold", "'minScore':0.6"),
	     .expect = "b/m=0.4 -a/m:r"},
	    {.name = "of a segment, others are not looked at",
	     .rules = CASE_RULE("r", CASE_OF("segment", "1"), "match",
				"propensity_threshold",
				"'minScore':0.1,'multiplier':2"),
	     .segments = "['new']",
	     .expect = BOTH},
	    {.name = "of a segment, its members are",
	     .rules = CASE_RULE("r", CASE_OF("segment", "1"), "match",
				"propensity_threshold",
				"'minScore':0.1,'multiplier':2"),
	     .segments = "['vip']",
	     .expect = "a/m=1 b/m=0.8"},
	    {.name = "no limit",
	     .rules = PROPENSITY("match", "'model':'x'"),
	     .refused = "minScore must be a number from 0 to 1"},
	    {.name = "a limit beyond",
	     .rules = PROPENSITY("match", "'minScore':1.5"),
	     .refused = "minScore must be a number from 0 to 1"},
	};

	DECIDE_CASES(cases);
}

/* Now is 2026-03-30 10:00. */
static void
test_recency(void **state KRN_UNUSED)
{
	static const struct decide_case cases[] = {
	    {.name = "just so",
	     .rules = RECENCY("'attribute':'since','maxDays':2"),
	     .customer = "{'since':'2026-03-28 10:00:00+00'}",
	     .expect = BOTH},
	    {.name = "a microsecond too old",
	     .rules = RECENCY("'attribute':'since','maxDays':2"),
	     .customer = "{'since':'2026-03-28 09:59:59.999999+00'}",
	     .expect = NEITHER},
	    {.name = "a date begins at midnight",
	     .rules = RECENCY("'attribute':'since','maxDays':2"),
	     .customer = "{'since':'2026-03-28'}",
	     .expect = NEITHER},
	    {.name = "part of a day",
	     .rules = RECENCY("'attribute':'since','maxDays':0.5"),
	     .customer = "{'since':'2026-03-30'}",
	     .expect = BOTH},
	    {.name = "yet to come",
	     .rules = RECENCY("'attribute':'since','maxDays':0"),
	     .customer = "{'since':'2027-01-01'}",
	     .expect = BOTH},
	    {.name = "NULL",
	     .rules = RECENCY("'attribute':'since','maxDays':0"),
	     .expect = BOTH},
	    {.name = "no such attribute",
	     .rules = RECENCY("'attribute':'none','maxDays':0"),
	     .expect = BOTH},
	    {.name = "a text that is a date",
	     .rules = RECENCY("'attribute':'city','maxDays':2"),
	     .customer = "{'city':'2026-03-29'}",
	     .expect = BOTH},
	    {.name = "a text that is none",
	     .rules = RECENCY("'attribute':'city','maxDays':2"),
	     .customer = "{'city':'Bern'}",
	     .expect = NEITHER " !1"},
	    {.name = "no days",
	     .rules = RECENCY("'attribute':'since'"),
	     .refused = "\"r\": maxDays must be a number from 0 to 3650"},
	    {.name = "negative days",
	     .rules = RECENCY("'attribute':'since','maxDays':-1"),
	     .refused = "maxDays must be a number from 0 to 3650"},
	};

	DECIDE_CASES(cases);
}

/* Three contacts, two clicks, a dismissal: 1 to 80 hours ago. */
static void
test_metrics(void **state KRN_UNUSED)
{
	static const struct {
		const char *config;
		bool passes;
	} list[] = {
	    {"'metric':'impressions','operator':'eq','value':3", true},
	    {"'metric':'impressions','operator':'eq','value':2", false},
	    {"'metric':'impressions','operator':'eq','value':2,"
	     "'windowDays':1",
	     true},
	    {"'metric':'impressions','operator':'lt','value':2.5,"
	     "'windowDays':1",
	     true},
	    {"'metric':'impressions','operator':'neq','value':3", false},
	    {"'metric':'click','operator':'gte','value':2", true},
	    {"'metric':'clicks','operator':'gt','value':2", false},
	    {"'metric':'clicks','operator':'lte','value':1,'windowDays':2",
	     true},
	    {"'metric':'clicks','operator':'eq','value':1,'windowDays':2",
	     true},
	    {"'metric':'dismisses','operator':'eq','value':1", true},
	    {"'metric':'positive','operator':'eq','value':2", true},
	    {"'metric':'negative','operator':'eq','value':1", true},
	    {"'metric':'neutral','operator':'eq','value':0", true},
	    {"'metric':'converts','operator':'eq','value':1", true},
	    {"'metric':'conversions','operator':'lt','value':1,"
	     "'windowDays':null",
	     false},
	    {"'metric':'brochure','operator':'equals','value':1", true},
	};

	for (size_t i = 0; i < KRN_NR(list); i++) {
		char rule[300], policy[300];

		snprintf(rule, sizeof(rule), METRIC("%s"), list[i].config);
		snprintf(
		    policy, sizeof(policy),
		    CASE_POLICY("r", CASE_GLOBAL, "metric_condition", "%s"),
		    list[i].config);
		struct decide_case test = {
		    .name = list[i].config,
		    /* a convert of this tenant is nothing good */
		    .more = "'outcomes':[{'key':'brochure','classification':"
			    "'other','category':'response'},{'key':'convert',"
			    "'classification':'other'},{'key':'impression',"
			    "'classification':'neutral','category':"
			    "'impression'}],",
		    .rules = rule,
		    .contacts = "[['a','m',1,0],['b','m',24,0],['?','?',80,0]]",
		    .answers = "[['a','m',1,0,'click'],['?','m',80,0,'click'],"
			       "['b','m',2,0,'dismiss'],['b','m',2,0,"
			       "'unknown'],['b','m',3,0,'convert'],"
			       "['b','m',3,0,'brochure'],"
			       "['b','m',3,0,'impression']]",
		    .expect = list[i].passes ? BOTH : NEITHER,
		};

		decide_case_run(&test, 1);
		/* as a policy it blocks whom the rule lets pass */
		test.rules = NULL;
		test.policies = policy;
		test.expect = list[i].passes ? NEITHER : BOTH;
		decide_case_run(&test, 1);
	}
}

/* A rule counts all there is; a policy what is of its scope. */
static void
test_metric_scopes(void **state KRN_UNUSED)
{
#define CLICKS "'metric':'clicks','operator':'gte','value':1"
	static const struct decide_case cases[] = {
	    {.name = "a rule of an offer",
	     .rules = CASE_RULE("r", CASE_OF("offer", "a"), "eligibility",
				"metric_condition", CLICKS),
	     .answers = "[['b','m',1,0,'click']]",
	     .expect = BOTH},
	    {.name = "a policy of an offer, its own",
	     .policies = CASE_POLICY("r", CASE_OF("offer", "a"),
				     "metric_condition", CLICKS),
	     .answers = "[['a','m',1,0,'click']]",
	     .expect = "b/m=0.4 -a/m:r"},
	    {.name = "a policy of an offer, another's",
	     .policies = CASE_POLICY("r", CASE_OF("offer", "a"),
				     "metric_condition", CLICKS),
	     .answers = "[['b','m',1,0,'click']]",
	     .expect = BOTH},
	    {.name = "mandatory offers are spared",
	     .offers = CASE_OFFER("a", "50", ",'mandatory':true"),
	     .policies =
		 CASE_POLICY("r", CASE_GLOBAL, "metric_condition", CLICKS),
	     .answers = "[['a','m',1,0,'click']]",
	     .expect = "a/m=0.5"},
	};

	DECIDE_CASES(cases);
}

static void
test_metric_refusals(void **state KRN_UNUSED)
{
	static const struct {
		const char *config, *refused;
	} list[] = {
	    {"'metric':'totalValue','operator':'gt','value':1",
	     "\"r\": metric \"totalValue\" is not supported"},
	    {"'metric':'s','operator':'gt','value':1",
	     "metric \"s\" is not supported"},
	    {"'operator':'gt','value':1", "metric \"\" is not supported"},
	    {"'metric':'clicks','operator':'in','value':1",
	     "operator \"in\" does not compare numbers"},
	    {"'metric':'clicks','operator':'gt','value':'1'",
	     "value must be a number"},
	    {"'metric':'clicks','operator':'gt','value':1,'windowDays':0",
	     "windowDays must be above 0 and at most 3650"},
	    {"'metric':'clicks','operator':'gt','value':1,'windowDays':'7'",
	     "windowDays must be above 0 and at most 3650"},
	};

	for (size_t i = 0; i < KRN_NR(list); i++) {
		char rule[300];

		snprintf(rule, sizeof(rule), METRIC("%s"), list[i].config);
		const struct decide_case test = {.name = list[i].config,
						 .rules = rule,
						 .refused = list[i].refused};

		decide_case_run(&test, 1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_propensity),
	    cmocka_unit_test(test_recency),
	    cmocka_unit_test(test_metrics),
	    cmocka_unit_test(test_metric_scopes),
	    cmocka_unit_test(test_metric_refusals),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
