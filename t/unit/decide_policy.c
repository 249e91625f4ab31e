/* Contact policies: caps and their windows, cooldowns, scopes, room. */

#include "base/base.h"

#include "decide_case.h"

#include "base/buf.h"

#define CAP(scope, config) CASE_POLICY("p", scope, "frequency_cap", config)
#define COOLDOWN(scope, config) CASE_POLICY("p", scope, "cooldown", config)
#define ONE CASE_OFFER("a", "50", ",'categoryId':'g'")
#define BOTH "a/m=0.5 b/m=0.4"
#define NEITHER "-a/m:p -b/m:p"

/* Its first µs is in the window, the µs before it is not. */
static void
test_windows(void **state KRN_UNUSED)
{
	static const struct {
		const char *config, *at, *before;
	} list[] = {
	    {"'maxPerDay':1", "[['a','m',10,0]]", "[['a','m',10,1]]"},
	    {"'maxPerWeek':1", "[['a','m',34,0]]", "[['a','m',34,1]]"},
	    {"'maxPerMonth':1", "[['a','m',700,0]]", "[['a','m',700,1]]"},
	    {"'maxTotal':1,'lookbackHours':24", "[['a','m',24,0]]",
	     "[['a','m',24,1]]"},
	    {"'maxTotal':1,'lookbackHours':0.5", "[['a','m',0,1800000000]]",
	     "[['a','m',0,1800000001]]"},
	    {"'maxTotal':1,'lookbackHours':8760", "[['a','m',8760,0]]",
	     "[['a','m',8760,1]]"},
	    {"'maxTotal':1", "[['a','m',200000,0]]", "[]"},
	    {"'maxTotal':1,'lookbackHours':null", "[['a','m',200000,0]]", "[]"},
	};

	for (size_t i = 0; i < KRN_NR(list); i++) {
		char policy[200];

		snprintf(policy, sizeof(policy), CAP(CASE_GLOBAL, "%s"),
			 list[i].config);
		const struct decide_case cases[] = {
		    {.name = list[i].config,
		     .offers = ONE,
		     .policies = policy,
		     .contacts = list[i].at,
		     .expect = "-a/m:p"},
		    {.name = list[i].config,
		     .offers = ONE,
		     .policies = policy,
		     .contacts = list[i].before,
		     .expect = "a/m=0.5"},
		};

		DECIDE_CASES(cases);
	}
}

static void
test_caps(void **state KRN_UNUSED)
{
	static const struct decide_case cases[] = {
	    {.name = "nothing sent",
	     .policies = CAP(CASE_GLOBAL, "'maxPerDay':2"),
	     .expect = BOTH},
	    {.name = "0 forbids",
	     .policies = CAP(CASE_GLOBAL, "'maxPerDay':0"),
	     .expect = NEITHER},
	    {.name = "the smallest room counts",
	     .policies = CAP(CASE_GLOBAL, "'maxPerDay':5,'maxPerWeek':3,"
					  "'maxPerMonth':9,'maxTotal':9"),
	     .contacts = "[['a','m',11,0],['a','m',12,0],['b','m',13,0]]",
	     .expect = NEITHER},
	    {.name = "more than allowed was sent",
	     .policies = CAP(CASE_GLOBAL, "'maxPerDay':1"),
	     .contacts = "[['a','m',1,0],['a','m',2,0],['b','m',3,0]]",
	     .expect = NEITHER},
	    {.name = "the list is cut to the room",
	     .policies = CAP(CASE_GLOBAL, "'maxPerDay':1"),
	     .expect = "a/m=0.5 -b/m:p"},
	    {.name = "what was sent takes room",
	     .policies = CAP(CASE_GLOBAL, "'maxPerWeek':2"),
	     .contacts = "[['b','m',20,0]]",
	     .expect = "a/m=0.5 -b/m:p"},
	    {.name = "each cap has its own room",
	     .policies =
		 CAP(CASE_OF("offer", "a"), "'maxPerDay':1") "," CASE_POLICY(
		     "q", CASE_OF("offer", "b"), "frequency_cap",
		     "'maxPerDay':1"),
	     .expect = BOTH},
	    {.name = "a cap of its category cuts, one of another does not",
	     .offers =
		 CASE_OFFER("a", "50", ",'categoryId':'g'") "," CASE_OFFER(
		     "b", "40",
		     ",'categoryId':'g'") "," CASE_OFFER("c", "30",
							 ",'categoryId':'h'"),
	     .policies = CAP(CASE_OF("category", "g"), "'maxTotal':1"),
	     .expect = "a/m=0.5 c/m=0.3 -b/m:p"},
	    {.name = "a full channel leaves the other",
	     .channels = CASE_CHANNEL("m") "," CASE_CHANNEL("n"),
	     .policies = CAP(CASE_OF("channel", "m"), "'maxPerWeek':1"),
	     .contacts = "[['?','m',20,0]]",
	     .expect = "a/n=0.5 b/n=0.4 -a/m:p -b/m:p"},
	    {.name = "one that becomes full does not",
	     .channels = CASE_CHANNEL("m") "," CASE_CHANNEL("n"),
	     .policies = CAP(CASE_OF("channel", "m"), "'maxPerWeek':1"),
	     .expect = "a/m=0.5 -b/m:p"},
	    {.name = "no contact_policy node, no policies",
	     .nodes = "{'type':'qualify'},{'type':'response'}",
	     .policies = CAP(CASE_GLOBAL, "'maxPerDay':0"),
	     .expect = BOTH},
	    {.name = "a rule drops before a policy does",
	     .rules = CASE_IF("r", CASE_OF("offer", "a"), "eligibility",
			      "'attribute':'age','operator':'exists'"),
	     .policies = CAP(CASE_GLOBAL, "'maxPerDay':0"),
	     .expect = "-a/m:r -b/m:p"},
	    {.name = "mandatory offers obey a cap",
	     .offers = CASE_OFFER("a", "50", ",'mandatory':true"),
	     .policies = CAP(CASE_GLOBAL, "'maxPerDay':0,'bypassable':true"),
	     .expect = "-a/m:p"},
	};

	DECIDE_CASES(cases);
}

/* The same scopes for caps and cooldowns. */
static void
test_scopes(void **state KRN_UNUSED)
{
	static const struct {
		const char *name, *scope, *contacts, *expect;
	} list[] = {
	    {"global: anything counts", CASE_GLOBAL, "[['b','m',1,0]]",
	     NEITHER},
	    {"global: an unknown offer counts", CASE_GLOBAL, "[['?','?',1,0]]",
	     NEITHER},
	    {"offer: its own", CASE_OF("offer", "a"), "[['a','m',1,0]]",
	     "b/m=0.4 -a/m:p"},
	    {"offer: its own on a channel that is gone", CASE_OF("offer", "a"),
	     "[['a','?',1,0]]", "b/m=0.4 -a/m:p"},
	    {"offer: another's", CASE_OF("offer", "a"), "[['b','m',1,0]]",
	     BOTH},
	    {"offer: of none", CASE_OF("offer", "z"), "[['?','m',1,0]]", BOTH},
	    {"channel: its own, of any offer", CASE_OF("channel", "m"),
	     "[['?','m',1,0]]", NEITHER},
	    {"channel: another's", CASE_OF("channel", "m"), "[['a','x',1,0]]",
	     BOTH},
	    {"category: its own", CASE_OF("category", "g"), "[['a','m',1,0]]",
	     "b/m=0.4 -a/m:p"},
	    {"category: another's", CASE_OF("category", "g"), "[['b','m',1,0]]",
	     BOTH},
	    {"category: a deleted offer of it", CASE_OF("category", "g"),
	     "[['d','m',1,0]]", "b/m=0.4 -a/m:p"},
	    {"category: a deleted offer of another", CASE_OF("category", "h"),
	     "[['d','m',1,0]]", BOTH},
	    {"category: an unknown offer", CASE_OF("category", "g"),
	     "[['?','m',1,0]]", BOTH},
	};
	static const char offers[] = ONE "," CASE_OFFER(
	    "b", "40", ",'categoryId':'h'") ",{'id':'d',"
					    "'name':'a','status':'deleted','"
					    "priority':99,'categoryId':'g'}";

	for (size_t i = 0; i < KRN_NR(list); i++) {
		char cap[200], cooldown[200];

		snprintf(cap, sizeof(cap), CAP("%s", "'maxPerDay':1"),
			 list[i].scope);
		snprintf(cooldown, sizeof(cooldown),
			 COOLDOWN("%s", "'cooldownHours':2"), list[i].scope);
		/* the channel has a cap of one: then a alone is given */
		const bool cuts = strcmp(list[i].expect, BOTH) == 0 &&
				  strstr(list[i].scope, "channel");
		const struct decide_case cases[] = {
		    {.name = list[i].name,
		     .offers = offers,
		     .policies = cap,
		     .contacts = list[i].contacts,
		     .expect = cuts ? "a/m=0.5 -b/m:p" : list[i].expect},
		    {.name = list[i].name,
		     .offers = offers,
		     .policies = cooldown,
		     .contacts = list[i].contacts,
		     .expect = list[i].expect},
		};

		DECIDE_CASES(cases);
	}
}

static void
test_cooldown(void **state KRN_UNUSED)
{
	static const struct decide_case cases[] = {
	    {.name = "never contacted",
	     .policies = COOLDOWN(CASE_GLOBAL, "'cooldownHours':24"),
	     .expect = BOTH},
	    {.name = "over when its hours are",
	     .policies = COOLDOWN(CASE_GLOBAL, "'cooldownHours':24"),
	     .contacts = "[['a','m',24,0]]",
	     .expect = BOTH},
	    {.name = "a microsecond before",
	     .policies = COOLDOWN(CASE_GLOBAL, "'cooldownHours':24"),
	     .contacts = "[['a','m',24,-1]]",
	     .expect = NEITHER},
	    {.name = "at the moment itself",
	     .policies = COOLDOWN(CASE_GLOBAL, "'cooldownHours':24"),
	     .contacts = "[['a','m',0,0]]",
	     .expect = NEITHER},
	    {.name = "the newest contact counts",
	     .policies = COOLDOWN(CASE_GLOBAL, "'cooldownHours':24"),
	     .contacts = "[['a','m',23,0],['a','n',90,0],['b','m',80,0]]",
	     .expect = NEITHER},
	    {.name = "part of an hour",
	     .policies = COOLDOWN(CASE_GLOBAL, "'cooldownHours':0.5"),
	     .contacts = "[['a','m',0,1800000000]]",
	     .expect = BOTH},
	    {.name = "part of an hour, a microsecond before",
	     .policies = COOLDOWN(CASE_GLOBAL, "'cooldownHours':0.5"),
	     .contacts = "[['a','m',0,1799999999]]",
	     .expect = NEITHER},
	    {.name = "category: a sibling's contact, at the boundary",
	     .offers = ONE "," CASE_OFFER("b", "40", ",'categoryId':'g'"),
	     .policies =
		 COOLDOWN(CASE_OF("category", "g"), "'cooldownHours':48"),
	     .contacts = "[['b','m',48,-1]]",
	     .expect = NEITHER},
	    {.name = "category: a sibling's contact, after it",
	     .offers = ONE "," CASE_OFFER("b", "40", ",'categoryId':'g'"),
	     .policies =
		 COOLDOWN(CASE_OF("category", "g"), "'cooldownHours':48"),
	     .contacts = "[['b','m',48,0]]",
	     .expect = BOTH},
	    {.name = "mandatory offers are spared",
	     .offers = CASE_OFFER(
		 "a", "50", ",'mandatory':true") "," CASE_OFFER("b", "40", ""),
	     .policies = COOLDOWN(CASE_GLOBAL, "'cooldownHours':24"),
	     .contacts = "[['a','m',1,0]]",
	     .expect = "a/m=0.5 -b/m:p"},
	    {.name = "mandatory offers are not spared",
	     .offers = CASE_OFFER("a", "50", ",'mandatory':true"),
	     .policies = COOLDOWN(CASE_GLOBAL, "'cooldownHours':24,"
					       "'bypassable':false"),
	     .contacts = "[['a','m',1,0]]",
	     .expect = "-a/m:p"},
	    {.name = "the first policy is named",
	     .policies = COOLDOWN(
		 CASE_OF("offer", "a"),
		 "'cooldownHours':24") "," CASE_POLICY("q", CASE_GLOBAL,
						       "frequency_cap",
						       "'maxPerDay':1"),
	     .contacts = "[['a','m',1,0]]",
	     .expect = "-a/m:p -b/m:q"},
	};

	DECIDE_CASES(cases);
}

static void
test_bad_configs(void **state KRN_UNUSED)
{
	static const char lookback[] =
	    "policy \"p\": lookbackHours must be above 0 and at most 8760";
	static const char cooldown[] = "cooldownHours must be above 0";
	static const struct decide_case cases[] = {
	    {.policies = CAP(CASE_GLOBAL, "'maxTotal':1,'lookbackHours':0"),
	     .refused = lookback},
	    {.policies = CAP(CASE_GLOBAL, "'maxTotal':1,'lookbackHours':-1"),
	     .refused = lookback},
	    {.policies = CAP(CASE_GLOBAL, "'maxTotal':1,'lookbackHours':8761"),
	     .refused = lookback},
	    {.policies = CAP(CASE_GLOBAL, "'maxTotal':1,'lookbackHours':1e300"),
	     .refused = lookback},
	    {.policies = CAP(CASE_GLOBAL, "'maxTotal':1,'lookbackHours':'24'"),
	     .refused = lookback},
	    {.policies = CAP(CASE_GLOBAL, "'maxPerDay':1,'lookbackHours':9000"),
	     .refused = lookback},
	    {.policies = CAP(CASE_GLOBAL, ""),
	     .refused = "a cap needs maxPerDay"},
	    {.policies = CAP(CASE_GLOBAL, "'lookbackHours':24"),
	     .refused = "a cap needs maxPerDay"},
	    {.policies = CAP(CASE_GLOBAL, "'maxPerDay':-1"),
	     .refused = "maxPerDay must be a whole number"},
	    {.policies = CAP(CASE_GLOBAL, "'maxPerWeek':1.5"),
	     .refused = "maxPerWeek must be a whole number"},
	    {.policies = CAP(CASE_GLOBAL, "'maxTotal':'1'"),
	     .refused = "maxTotal must be a whole number"},
	    {.policies = CAP(CASE_GLOBAL, "'maxPerMonth':1000000001"),
	     .refused = "maxPerMonth must be a whole number"},
	    {.policies =
		 CAP(CASE_GLOBAL, "'maxTotal':1,'excludeCampaignIds':[1]"),
	     .refused = "excludeCampaignIds must be ids"},
	    {.policies = COOLDOWN(CASE_GLOBAL, ""), .refused = cooldown},
	    {.policies = COOLDOWN(CASE_GLOBAL, "'cooldownHours':0"),
	     .refused = cooldown},
	    {.policies = COOLDOWN(CASE_GLOBAL, "'cooldownHours':'1'"),
	     .refused = cooldown},
	    {.policies = COOLDOWN(CASE_GLOBAL, "'cooldownHours':876001"),
	     .refused = cooldown},
	    {.policies = CAP("'scope':'category'", "'maxTotal':1"),
	     .refused = "a scope other than global needs its object"},
	    {.policies = CAP(CASE_OF("segment", "x"), "'maxTotal':1"),
	     .refused = "scope segment is of rules"},
	    {.policies = CAP(CASE_OF("placement", "x"), "'maxTotal':1"),
	     .refused = "scope placement is of rules"},
	    {.policies = CASE_POLICY("p", CASE_GLOBAL, "unheard_of", ""),
	     .refused = "policy \"p\": type unheard_of is not supported yet"},
	};

	for (size_t i = 0; i < KRN_NR(cases); i++) {
		struct decide_case test = cases[i];

		test.name = test.policies;
		decide_case_run(&test, 1);
	}
}

/* Caps share the windows that begin together; there is an end to the others. */
static void
test_many_windows(void **state KRN_UNUSED)
{
	for (int more = 0; more < 2; more++) {
		struct krn_arena *arena = krn_arena_new(0);
		struct krn_buf buf;
		struct krn_str text;

		krn_buf_init(&buf, arena);
		for (int i = 0; i < 2 * (KRN_PLAN_WINDOWS_MAX + more); i++)
			krn_buf_printf(
			    &buf,
			    "%s" CAP(CASE_GLOBAL,
				     "'maxTotal':9,'lookbackHours':%d"),
			    i ? "," : "", 1 + i / 2);
		assert_int_equal(krn_buf_end(&buf, &text, NULL), KRN_OK);
		const struct decide_case test = {
		    .name = "windows",
		    .policies = krn_str_cstr(arena, text),
		    .expect = BOTH,
		    .refused = more ? "look at more than 16 windows" : NULL,
		};

		decide_case_run(&test, 1);
		krn_arena_free(arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_windows),
	    cmocka_unit_test(test_caps),
	    cmocka_unit_test(test_scopes),
	    cmocka_unit_test(test_cooldown),
	    cmocka_unit_test(test_bad_configs),
	    cmocka_unit_test(test_many_windows),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
