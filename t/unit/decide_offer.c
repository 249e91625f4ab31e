/* What an offer says of itself: stock, budget, caps of a customer. */

#include "base/base.h"

#include "decide_case.h"

#define END "{'id':'e','type':'response'}"
#define BOTH "a/m=0.5 b/m=0.4"
#define OFFERS(more) CASE_OFFER("a", "50", more) "," CASE_OFFER("b", "40", "")
#define STOCK(stock) OFFERS(",'inventory':{'remainingStock':" stock "}")
#define CAPS(caps) OFFERS(",'frequencyCaps':{'perCustomer':{" caps "}}")
#define SPENT ",'budget':{'lifetimeCapCents':5,'currentLifetimeSpentCents':5}"

static void
test_stock(void **state KRN_UNUSED)
{
	static const struct decide_case cases[] = {
	    {.name = "none is left",
	     .nodes = END,
	     .offers = STOCK("0"),
	     .expect = "b/m=0.4 -a/m:inventory"},
	    {.name = "less than none",
	     .nodes = END,
	     .offers = STOCK("-3"),
	     .expect = "b/m=0.4 -a/m:inventory"},
	    {.name = "one is left",
	     .nodes = END,
	     .offers = STOCK("1"),
	     .expect = BOTH},
	    {.name = "not tracked",
	     .nodes = END,
	     .offers = STOCK("null"),
	     .expect = BOTH},
	    {.name = "a total says nothing",
	     .nodes = END,
	     .offers = OFFERS(",'inventory':{'totalStock':0}"),
	     .expect = BOTH},
	    {.name = "no number",
	     .nodes = END,
	     .offers = STOCK("'none'"),
	     .refused = "offer \"a\": inventory.remainingStock must be a "
			"number"},
	    {.name = "of an offer that is no candidate",
	     .inventory = "{'offerIds':['b']}",
	     .nodes = END,
	     .offers = STOCK("'none'"),
	     .expect = "b/m=0.4"},
	    {.name = "a mandatory offer, a lifted one",
	     .nodes = "{'type':'contact_policy'}," END,
	     .offers = OFFERS(",'mandatory':true,'inventory':{"
			      "'remainingStock':0}"),
	     .policies =
		 CASE_POLICY("p", CASE_OF("offer", "a"), "allow_override", ""),
	     .expect = "b/m=0.4 -a/m:inventory"},
	};

	DECIDE_CASES(cases);
}

static void
test_budget(void **state KRN_UNUSED)
{
	static const struct decide_case cases[] = {
	    {.name = "spent, without a policy",
	     .nodes = END,
	     .offers = OFFERS(SPENT),
	     .expect = "b/m=0.4 -a/m:budget"},
	    {.name = "spent, whatever a policy looks at",
	     .offers = OFFERS(SPENT),
	     .policies = CASE_POLICY("p", CASE_GLOBAL, "budget_exhausted",
				     "'checkImpressions':true"),
	     .expect = "b/m=0.4 -a/m:budget"},
	    {.name = "the policy comes first",
	     .offers = OFFERS(SPENT),
	     .policies = CASE_POLICY("p", CASE_GLOBAL, "budget_exhausted", ""),
	     .expect = "b/m=0.4 -a/m:p"},
	    {.name = "impressions are a policy's",
	     .more = "'impressions':{'a':{'today':5,'ever':5}},",
	     .nodes = END,
	     .offers = OFFERS(",'budget':{'maxPerDay':5,'maxImpressions':5}"),
	     .expect = BOTH},
	    {.name = "a new day",
	     .more = "'clock':{'date':'2026-03-30'},",
	     .nodes = END,
	     .offers = OFFERS(",'budget':{'dailyCapCents':5,"
			      "'currentDailySpentCents':9,"
			      "'lastDailyResetDate':'2026-03-29'}"),
	     .expect = BOTH},
	    {.name = "the same day",
	     .more = "'clock':{'date':'2026-03-30'},",
	     .nodes = END,
	     .offers = OFFERS(",'budget':{'dailyCapCents':5,"
			      "'currentDailySpentCents':9,"
			      "'lastDailyResetDate':'2026-03-30'}"),
	     .expect = "b/m=0.4 -a/m:budget"},
	};

	DECIDE_CASES(cases);
}

/* 9 hours ago is today, 33 this week, 699 this month. */
static void
test_caps(void **state KRN_UNUSED)
{
	static const struct decide_case cases[] = {
	    {.name = "once a day, today",
	     .nodes = END,
	     .offers = CAPS("'daily':1"),
	     .contacts = "[['a','m',9,0]]",
	     .expect = "b/m=0.4 -a/m:frequencyCaps"},
	    {.name = "once a day, yesterday",
	     .nodes = END,
	     .offers = CAPS("'daily':1"),
	     .contacts = "[['a','m',10,1]]",
	     .expect = BOTH},
	    {.name = "of another offer",
	     .nodes = END,
	     .offers = CAPS("'daily':1"),
	     .contacts = "[['b','m',1,0]]",
	     .expect = BOTH},
	    {.name = "of all channels",
	     .nodes = END,
	     .channels = CASE_CHANNEL("m") "," CASE_CHANNEL("n"),
	     .offers = CAPS("'weekly':2"),
	     .contacts = "[['a','m',33,0],['a','n',33,0]]",
	     .expect = "b/m=0.4 -a/m:frequencyCaps -a/n:frequencyCaps"},
	    {.name = "the tightest counts",
	     .nodes = END,
	     .offers = CAPS("'daily':5,'weekly':3,'monthly':2"),
	     .contacts = "[['a','m',33,0],['a','m',699,0]]",
	     .expect = "b/m=0.4 -a/m:frequencyCaps"},
	    {.name = "room is left",
	     .nodes = END,
	     .offers = CAPS("'daily':5,'weekly':3,'monthly':3"),
	     .contacts = "[['a','m',33,0],['a','m',699,0]]",
	     .expect = BOTH},
	    {.name = "never",
	     .nodes = END,
	     .offers = CAPS("'monthly':0"),
	     .expect = "b/m=0.4 -a/m:frequencyCaps"},
	    {.name = "a rule comes first",
	     .offers = CAPS("'monthly':0"),
	     .rules = CASE_IF("r", CASE_OF("offer", "a"), "eligibility",
			      "'attribute':'none','operator':'exists'"),
	     .expect = "b/m=0.4 -a/m:r"},
	    {.name = "a fraction",
	     .nodes = END,
	     .offers = CAPS("'daily':1.5"),
	     .refused = "offer \"a\": frequencyCaps.perCustomer.daily must be "
			"a whole number"},
	};

	DECIDE_CASES(cases);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_stock),
	    cmocka_unit_test(test_budget),
	    cmocka_unit_test(test_caps),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
