/* Contact policies besides frequency caps and cooldowns. */

#include "base/base.h"

#include "decide_case.h"

#define BOTH "a/m=0.5 b/m=0.4"
#define NEITHER "-a/m:p -b/m:p"
#define POLICY(type, config) CASE_POLICY("p", CASE_GLOBAL, type, config)
#define POLICY_OF(scope, id, type, config)                                     \
	CASE_POLICY("p", CASE_OF(scope, id), type, config)
#define TWO_CHANNELS CASE_CHANNEL("m") "," CASE_CHANNEL("n")
#define SIBLINGS                                                               \
	CASE_OFFER("a", "50", ",'categoryId':'g','subCategoryId':'s'")         \
	"," CASE_OFFER("b", "40", ",'categoryId':'g','subCategoryId':'t'")
#define MANDATORY                                                              \
	CASE_OFFER("a", "50", ",'mandatory':true") "," CASE_OFFER("b", "40", "")

/* Caps that look further than their scope, or less far. */
static void
test_caps(void **state KRN_UNUSED)
{
	static const struct decide_case cases[] = {
	    {.name = "across channels: another channel's contact counts",
	     .policies = POLICY_OF("channel", "m", "cross_channel_cap",
				   "'maxPerDay':1"),
	     .contacts = "[['a','n',1,0]]",
	     .expect = NEITHER},
	    {.name = "across channels, of an offer",
	     .policies =
		 POLICY_OF("offer", "a", "cross_channel_cap", "'maxPerDay':1"),
	     .contacts = "[['a','?',1,0],['b','m',1,0]]",
	     .expect = "b/m=0.4 -a/m:p"},
	    {.name = "total: anything counts",
	     .policies =
		 POLICY_OF("offer", "a", "customer_total_cap", "'maxPerDay':1"),
	     .contacts = "[['?','?',1,0]]",
	     .expect = "b/m=0.4 -a/m:p"},
	    {.name = "total: what the run gives out of scope takes room",
	     .policies =
		 POLICY_OF("offer", "b", "customer_total_cap", "'maxPerDay':1"),
	     .expect = "a/m=0.5 -b/m:p"},
	    {.name = "a spared offer takes room",
	     .offers = MANDATORY,
	     .policies = POLICY("customer_total_cap", "'maxPerDay':1"),
	     .expect = "a/m=0.5 -b/m:p"},
	    {.name = "a spared offer needs none",
	     .offers = MANDATORY,
	     .policies = POLICY("customer_total_cap", "'maxPerDay':1"),
	     .contacts = "[['?','?',1,0]]",
	     .expect = "a/m=0.5 -b/m:p"},
	    {.name = "not spared if it may not be bypassed",
	     .offers = MANDATORY,
	     .policies = POLICY("customer_total_cap",
				"'maxPerDay':0,'bypassable':false"),
	     .expect = NEITHER},
	    {.name = "across channels, mandatory offers obey",
	     .offers = MANDATORY,
	     .policies =
		 POLICY("cross_channel_cap", "'maxPerDay':0,'bypassable':true"),
	     .expect = NEITHER},
	    {.name = "subcategory",
	     .offers = SIBLINGS,
	     .policies =
		 POLICY_OF("subcategory", "s", "frequency_cap", "'maxTotal':1"),
	     .contacts = "[['a','m',1,0],['b','m',1,0]]",
	     .expect = "b/m=0.4 -a/m:p"},
	    {.name = "creative: no pair has one",
	     .policies =
		 POLICY_OF("creative", "x", "frequency_cap", "'maxTotal':0"),
	     .contacts = "[['a','m',1,0,'','x']]",
	     .expect = BOTH},
	};

	DECIDE_CASES(cases);
}

#define OWN "'campaign':{'id':'c1'},"

static void
test_campaigns(void **state KRN_UNUSED)
{
	static const struct decide_case cases[] = {
	    {.name = "within: only its contacts count",
	     .more = OWN,
	     .policies = POLICY("frequency_cap",
				"'maxTotal':2,'withinCampaignId':'c1'"),
	     .contacts = "[['a','m',1,0,'c2'],['a','m',1,0],"
			 "['a','m',1,0,'c1']]",
	     .expect = "a/m=0.5 -b/m:p"},
	    {.name = "within: the contacts of this run do",
	     .more = OWN,
	     .policies = POLICY("frequency_cap",
				"'maxTotal':1,'withinCampaignId':'c1'"),
	     .expect = "a/m=0.5 -b/m:p"},
	    {.name = "within: another campaign is not held back",
	     .more = OWN,
	     .policies = POLICY("frequency_cap",
				"'maxTotal':1,'withinCampaignId':'c2'"),
	     .contacts = "[['a','m',1,0,'c2']]",
	     .expect = BOTH},
	    {.name = "without: their contacts do not count",
	     .more = OWN,
	     .policies =
		 POLICY("frequency_cap", "'maxTotal':2,"
					 "'excludeCampaignIds':['c2','c3']"),
	     .contacts = "[['a','m',1,0,'c2'],['a','m',1,0,'c3'],"
			 "['a','m',1,0,'c4']]",
	     .expect = "a/m=0.5 -b/m:p"},
	    {.name = "without: nor are they held back",
	     .more = OWN,
	     .policies = POLICY("frequency_cap",
				"'maxTotal':1,'excludeCampaignIds':['c1']"),
	     .contacts = "[['a','m',1,0,'c4']]",
	     .expect = BOTH},
	};

	DECIDE_CASES(cases);
}

#define OUTCOME(more)                                                          \
	POLICY("outcome_based", "'outcomeType':'dismiss','lookbackDays':"      \
				"1" more)

static void
test_outcomes(void **state KRN_UNUSED)
{
	static const struct decide_case cases[] = {
	    {.name = "none", .policies = OUTCOME(""), .expect = BOTH},
	    {.name = "one within",
	     .policies = OUTCOME(",'action':'suppress'"),
	     .answers = "[['?','?',24,-1,'dismiss']]",
	     .expect = NEITHER},
	    {.name = "one before",
	     .policies = OUTCOME(""),
	     .answers = "[['a','m',24,0,'dismiss']]",
	     .expect = BOTH},
	    {.name = "another outcome",
	     .policies = OUTCOME(""),
	     .answers = "[['a','m',1,0,'click']]",
	     .expect = BOTH},
	    {.name = "of an offer",
	     .policies = POLICY_OF("offer", "a", "outcome_based",
				   "'outcomeType':'dismiss','lookbackDays':1"),
	     .answers = "[['a','?',1,0,'dismiss'],['b','m',1,0,'dismiss']]",
	     .expect = "b/m=0.4 -a/m:p"},
	    {.name = "a contact is no outcome",
	     .policies = OUTCOME(""),
	     .contacts = "[['a','m',1,0]]",
	     .expect = BOTH},
	    {.name = "mandatory offers are spared",
	     .offers = MANDATORY,
	     .policies = OUTCOME(""),
	     .answers = "[['a','m',1,0,'dismiss']]",
	     .expect = "a/m=0.5 -b/m:p"},
	    {.name = "no outcome",
	     .policies = POLICY("outcome_based", "'lookbackDays':1"),
	     .refused = "policy \"p\": outcomeType is required"},
	    {.name = "another action",
	     .policies = OUTCOME(",'action':'boost'"),
	     .refused = "action \"boost\" is not supported"},
	    {.name = "no days",
	     .policies = POLICY("outcome_based", "'outcomeType':'x'"),
	     .refused = "lookbackDays must be above 0 and at most 3650"},
	};

	DECIDE_CASES(cases);
}

#define EXCLUDE(list) POLICY("segment_exclusion", "'excludeSegments':" list)

static void
test_segments(void **state KRN_UNUSED)
{
	static const struct decide_case cases[] = {
	    {.name = "a member",
	     .policies = EXCLUDE("['vip']"),
	     .segments = "['vip']",
	     .expect = NEITHER},
	    {.name = "of one of two",
	     .policies = EXCLUDE("['vip','new']"),
	     .segments = "['new']",
	     .expect = NEITHER},
	    {.name = "no member",
	     .policies = EXCLUDE("['vip']"),
	     .segments = "['new']",
	     .expect = BOTH},
	    {.name = "of none",
	     .policies = EXCLUDE("[]"),
	     .segments = "['new']",
	     .expect = BOTH},
	    {.name = "one that is not there",
	     .policies = EXCLUDE("['old']"),
	     .refused = "\"p\": no segment \"old\""},
	    {.name = "no list",
	     .policies = EXCLUDE("'vip'"),
	     .refused = "excludeSegments must be a list of names"},
	};

	DECIDE_CASES(cases);
}

#define MATCHED                                                                \
	"{'id':'q','type':'qualify'},{'id':'m','type':'match_creatives',"      \
	"'config':{'requireCreative':false}},"                                 \
	"{'id':'p','type':'contact_policy'},{'id':'e','type':'response'}"
#define CREATIVE                                                               \
	"{'id':'x','name':'x','offerId':'a','channelId':'m',"                  \
	"'placementId':'top','weight':100}"

static void
test_creatives(void **state KRN_UNUSED)
{
	static const struct decide_case cases[] = {
	    {.name = "a cap of a creative",
	     .nodes = MATCHED,
	     .creatives = CREATIVE,
	     .policies =
		 POLICY_OF("creative", "x", "frequency_cap", "'maxTotal':1"),
	     .contacts = "[['a','m',1,0,'','x']]",
	     .expect = "b/m=0.4 -a/m:p"},
	    {.name = "another creative's contacts",
	     .nodes = MATCHED,
	     .creatives = CREATIVE,
	     .policies =
		 POLICY_OF("creative", "x", "frequency_cap", "'maxTotal':1"),
	     .contacts = "[['a','m',1,0,'','y'],['a','m',1,0]]",
	     .expect = "a/m*x=0.5 b/m=0.4"},
	    {.name = "a rule of a creative",
	     .nodes = MATCHED,
	     .creatives = CREATIVE,
	     .rules = CASE_IF("p", CASE_OF("creative", "x"), "eligibility",
			      "'attribute':'age','operator':'exists'"),
	     .expect = "b/m=0.4 -a/m:p"},
	    {.name = "a rule of a placement",
	     .nodes = MATCHED,
	     .creatives = CREATIVE,
	     .rules = CASE_IF("p", CASE_OF("placement", "top"), "eligibility",
			      "'attribute':'age','operator':'exists'"),
	     .expect = "b/m=0.4 -a/m:p"},
	};

	DECIDE_CASES(cases);
}

/* A Monday, from 14:00 until before 15:00. */
static void
test_time_window(void **state KRN_UNUSED)
{
	static const struct {
		const char *config;
		bool is_open;
	} list[] = {
	    {"", true},
	    {"'startHour':14", true},
	    {"'startHour':15", false},
	    {"'endHour':15", true},
	    {"'endHour':14", false},
	    {"'startHour':9,'endHour':17", true},
	    {"'startHour':22,'endHour':6", false},
	    {"'startHour':22,'endHour':15", true},
	    {"'startHour':14,'endHour':6", true},
	    {"'allowedDays':['mon']", true},
	    {"'allowedDays':['Tuesday','MONDAY']", true},
	    {"'allowedDays':['tue']", false},
	    {"'allowedDays':[1]", true},
	    {"'allowedDays':[0,2,3,4,5,6]", false},
	    {"'allowedDays':[]", false},
	    {"'allowedDays':[1],'startHour':15,'endHour':16", false},
	    {"'allowedDays':null", true},
	};
	static const struct decide_case refusals[] = {
	    {.name = "no clock",
	     .policies = POLICY("time_window", "'startHour':1"),
	     .refused = "the run has no clock"},
	    {.name = "no day",
	     .more = "'clock':{'weekday':1,'hour':14},",
	     .policies = POLICY("time_window", "'allowedDays':['monda']"),
	     .refused = "allowedDays must be names of days"},
	    {.name = "no weekday",
	     .more = "'clock':{'weekday':1,'hour':14},",
	     .policies = POLICY("time_window", "'allowedDays':[7]"),
	     .refused = "allowedDays must be names of days"},
	    {.name = "no time",
	     .more = "'clock':{'weekday':1,'hour':14},",
	     .policies = POLICY("time_window", "'startHour':9,'endHour':9"),
	     .refused = "endHour 0 to 24 and another"},
	};

	for (size_t i = 0; i < KRN_NR(list); i++) {
		char policy[300];

		snprintf(policy, sizeof(policy), POLICY("time_window", "%s"),
			 list[i].config);
		const struct decide_case test = {
		    .name = list[i].config,
		    .more = "'clock':{'weekday':1,'hour':14},",
		    .policies = policy,
		    .expect = list[i].is_open ? BOTH : NEITHER};

		decide_case_run(&test, 1);
	}
	DECIDE_CASES(refusals);
}

#define GROUP(list) POLICY("mutual_exclusion", "'offerGroup':" list)
#define THREE                                                                  \
	CASE_OFFER("a", "50", "")                                              \
	"," CASE_OFFER("b", "40", "") "," CASE_OFFER("c", "30", "")

static void
test_groups(void **state KRN_UNUSED)
{
	static const struct decide_case cases[] = {
	    {.name = "one of them in a run",
	     .offers = THREE,
	     .policies = GROUP("['a','b']"),
	     .expect = "a/m=0.5 c/m=0.3 -b/m:p"},
	    {.name = "whom one was sent, no other",
	     .offers = THREE,
	     .policies = GROUP("['a','b']"),
	     .contacts = "[['b','m',2000,0]]",
	     .expect = "b/m=0.4 c/m=0.3 -a/m:p"},
	    {.name = "whom two were sent, none",
	     .offers = THREE,
	     .policies = GROUP("['a','b']"),
	     .contacts = "[['b','m',2000,0],['a','m',1,0]]",
	     .expect = "c/m=0.3 -a/m:p -b/m:p"},
	    {.name = "others are of no matter",
	     .offers = THREE,
	     .policies = GROUP("['a','b']"),
	     .contacts = "[['c','m',1,0],['?','m',1,0]]",
	     .expect = "a/m=0.5 c/m=0.3 -b/m:p"},
	    {.name = "two groups",
	     .offers = THREE,
	     .policies = GROUP("['a','b']") "," CASE_POLICY(
		 "q", CASE_GLOBAL, "mutual_exclusion",
		 "'offerGroup':['b','c']"),
	     .contacts = "[['c','m',1,0]]",
	     .expect = "a/m=0.5 c/m=0.3 -b/m:q"},
	    {.name = "a deleted one by its id",
	     .offers = THREE ",{'id':'d','name':'b','status':'deleted'}",
	     .policies = GROUP("['a','d']"),
	     .contacts = "[['d','m',1,0]]",
	     .expect = "b/m=0.4 c/m=0.3 -a/m:p"},
	    {.name = "of a channel: sent on another",
	     .channels = TWO_CHANNELS,
	     .policies = POLICY_OF("channel", "m", "mutual_exclusion",
				   "'offerGroup':['a','b']"),
	     .contacts = "[['b','n',1,0]]",
	     .expect = "a/m=0.5 -b/m:p"},
	    {.name = "a spared one excludes the others",
	     .offers = MANDATORY,
	     .policies = GROUP("['a','b']"),
	     .expect = "a/m=0.5 -b/m:p"},
	    {.name = "one that is not there",
	     .policies = GROUP("['a','z']"),
	     .refused = "policy \"p\": no offer \"z\""},
	    {.name = "no names",
	     .policies = GROUP("[1]"),
	     .refused = "offerGroup must be a list of names"},
	};

	DECIDE_CASES(cases);
}

#define SUPPRESS(what)                                                         \
	POLICY("category_suppression", what "'suppressionDays':2")

static void
test_suppression(void **state KRN_UNUSED)
{
	static const struct decide_case cases[] = {
	    {.name = "the category rests",
	     .policies = SUPPRESS("'categoryId':'g',"),
	     .contacts = "[['a','m',48,-1]]",
	     .expect = "b/m=0.4 -a/m:p"},
	    {.name = "until its days are over",
	     .policies = SUPPRESS("'categoryId':'g',"),
	     .contacts = "[['a','m',48,0]]",
	     .expect = BOTH},
	    {.name = "for its siblings too",
	     .offers = SIBLINGS,
	     .policies = SUPPRESS("'categoryId':'g',"),
	     .contacts = "[['b','m',1,0]]",
	     .expect = NEITHER},
	    {.name = "another category's contact",
	     .policies = SUPPRESS("'categoryId':'g',"),
	     .contacts = "[['b','m',1,0],['?','m',1,0]]",
	     .expect = BOTH},
	    {.name = "a subcategory",
	     .offers = SIBLINGS,
	     .policies = SUPPRESS("'subCategoryId':'t',"),
	     .contacts = "[['b','m',1,0],['a','m',1,0]]",
	     .expect = "a/m=0.5 -b/m:p"},
	    {.name = "both must be so",
	     .offers = SIBLINGS,
	     .policies = SUPPRESS("'categoryId':'h','subCategoryId':'t',"),
	     .contacts = "[['b','m',1,0]]",
	     .expect = BOTH},
	    {.name = "of what",
	     .policies = SUPPRESS(""),
	     .refused = "needs a category or subcategory"},
	};

	DECIDE_CASES(cases);
}

static void
test_overrides(void **state KRN_UNUSED)
{
	static const struct decide_case cases[] = {
	    {.name = "lifts everything for its candidates",
	     .policies =
		 POLICY("frequency_cap", "'maxPerDay':0") "," CASE_POLICY(
		     "q", CASE_OF("offer", "a"), "allow_override", ""),
	     .expect = "a/m=0.5 -b/m:p"},
	    {.name = "what it lets through takes room",
	     .policies =
		 POLICY("frequency_cap", "'maxPerDay':1") "," CASE_POLICY(
		     "q", CASE_OF("offer", "a"), "allow_override", ""),
	     .expect = "a/m=0.5 -b/m:p"},
	    {.name = "not a rule",
	     .rules = CASE_IF("r", CASE_GLOBAL, "eligibility",
			      "'attribute':'age','operator':'exists'"),
	     .policies = POLICY("allow_override", ""),
	     .expect = "-a/m:r -b/m:r"},
	    {.name = "a condition that we do not know",
	     .policies = POLICY("allow_override", "'segments':['vip']"),
	     .refused = "segments of allow_override is not supported"},
	};

	DECIDE_CASES(cases);
}

static void
test_budgets(void **state KRN_UNUSED)
{
	static const struct {
		const char *budget, *config;
		bool is_left;
	} list[] = {
	    {"'maxPerDay':5", "", false},
	    {"'maxPerDay':6", "", true},
	    {"'maxPerDay':5", "'checkImpressions':true", false},
	    {"'maxPerDay':5", "'checkImpressions':false", true},
	    {"'maxPerDay':5", "'checkDailyBudget':true", true},
	    {"'maxImpressions':90", "", false},
	    {"'maxImpressions':91", "", true},
	    {"'dailyCapCents':100,'currentDailySpentCents':100", "", false},
	    {"'dailyCapCents':100,'currentDailySpentCents':99", "", true},
	    {"'dailyCapCents':100", "", true},
	    {"'dailyCapCents':100,'currentDailySpentCents':100",
	     "'checkDailyBudget':true", false},
	    {"'dailyCapCents':1,'currentDailySpentCents':1,"
	     "'lastDailyResetDate':'2026-03-29T23:00:00Z'",
	     "", true},
	    {"'dailyCapCents':1,'currentDailySpentCents':1,"
	     "'lastDailyResetDate':'2026-03-30'",
	     "", false},
	    {"'lifetimeCapCents':5,'currentLifetimeSpentCents':5.5", "", false},
	    {"'lifetimeCapCents':6,'currentLifetimeSpentCents':5.5", "", true},
	    {"'maxPerDay':null", "", true},
	};

	for (size_t i = 0; i <= KRN_NR(list); i++) {
		const bool is_bad = i == KRN_NR(list);
		char offers[400], policy[200];

		snprintf(offers, sizeof(offers),
			 CASE_OFFER("a", "50", ",'budget':{%s}") "," CASE_OFFER(
			     "b", "40", ",'budget':{}"),
			 is_bad ? "'maxPerDay':'5'" : list[i].budget);
		snprintf(policy, sizeof(policy),
			 POLICY("budget_exhausted", "%s"),
			 is_bad ? "" : list[i].config);
		const struct decide_case test = {
		    .name = offers,
		    .more = "'clock':{'date':'2026-03-30'},'impressions':"
			    "{'a':{'today':5,'ever':90}},",
		    .offers = offers,
		    .policies = policy,
		    .expect =
			!is_bad && list[i].is_left ? BOTH : "b/m=0.4 -a/m:p",
		    .refused = is_bad ? "offer \"a\": budget.maxPerDay must be "
					"a number"
				      : NULL,
		};

		decide_case_run(&test, 1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_caps),
	    cmocka_unit_test(test_campaigns),
	    cmocka_unit_test(test_outcomes),
	    cmocka_unit_test(test_segments),
	    cmocka_unit_test(test_time_window),
	    cmocka_unit_test(test_creatives),
	    cmocka_unit_test(test_groups),
	    cmocka_unit_test(test_suppression),
	    cmocka_unit_test(test_overrides),
	    cmocka_unit_test(test_budgets),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
