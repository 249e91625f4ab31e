/* Explanations: each step, each drop, what each score is made of. */

#include "base/base.h"

#include "decide_place.h"

#define QUALIFY "{'id':'q','type':'qualify'},"
#define ONE_OFFER CASE_OFFER("a", "50", ",'categoryId':'g'")

#define LIST(...)                                                              \
	(const char *const[])                                                  \
	{                                                                      \
		__VA_ARGS__, NULL                                              \
	}

static void
test_explanations(void **state KRN_UNUSED)
{
	const struct decide_case cases[] = {
	    {.name = "rules, policies, offers",
	     .id = "k7",
	     .offers = CASE_OFFER("a", "50", "") "," CASE_OFFER(
		 "b", "40", "") "," CASE_OFFER("c", "30",
					       ",'inventory':{'remainingStock'"
					       ":0}") "," CASE_OFFER("d", "20",
								     ""),
	     .rules = CASE_IF("r", CASE_OF("offer", "a"), "eligibility",
			      "'attribute':'none','operator':'exists'"),
	     .policies = CASE_POLICY("p", CASE_OF("offer", "b"), "cooldown",
				     "'cooldownHours':9"),
	     .contacts = "[['b','m',1,0]]",
	     .explained =
		 LIST("{'customerId':'k7','error':null,'conversionFailures':0,"
		      "'steps':[{'step':'inventory','candidates':4}",
		      "{'step':'qualify','dropped':[{'offerId':'a','offerName'"
		      ":'a','channelId':'m','by':{'type':'rule','id':'r',"
		      "'name':'r'}},{'offerId':'c','offerName':'c',"
		      "'channelId':'m','by':{'type':'offer','id':'inventory'}}"
		      "]},{'step':'contact_policy','dropped':[{'offerId':'b'",
		      "'by':{'type':'policy','id':'p','name':'p'}}]}",
		      "{'step':'score','method':'priority_weighted',"
		      "'optimized':false,'scores':[{'offerId':'d',"
		      "'offerName':'d','channelId':'m','priority':20,"
		      "'businessValue':0,'weight':100,'fit':1,'match':1,"
		      "'rules':[],'score':0.2}]}",
		      "{'step':'rank','decisions':[{'rank':1,'offerId':'d',"
		      "'offerName':'d','channelId':'m','score':0.2}],'left':[]}"
		      "]}"),
	     .expect = "d/m=0.2 -a/m:r -b/m:p -c/m:inventory"},
	    {.name = "places",
	     .nodes = GROUP(BOTH_PLACES),
	     .creatives = CREATIVES,
	     .explained = LIST(
		 "{'step':'qualify','dropped':[{'offerId':'b'",
		 "'by':{'type':'node','id':'c'}}]}", "'creativeId':'at'",
		 "'weight':100", "{'step':'group','dropped':[{'offerId':'b'",
		 "'by':{'type':'node','id':'g'}}]}", "{'rank':1,'offerId':'a'"),
	     .expect = "a/m*at=0.5 -b/m:c -b/m:g"},
	    {.name = "an error",
	     .nodes = "{'type':'score','config':{'method':'propensity'}}," END,
	     .customer = "{'propensityScores.a':'x'}",
	     .explained = LIST("'error':'attribute \\'propensityScores.a\\' "
			       "is not a finite number'",
			       "'steps':[{'step':'inventory','candidates':2}]"),
	     .expect = "E:attribute \"propensityScores.a\" is not a finite "
		       "number"},
	    {.name = "a propensity, and what was learned",
	     .more = "'answers':[{'offerId':'a','outcome':'click','count':50}"
		     "],",
	     .nodes = "{'type':'score','config':{'method':'propensity'}}," END,
	     .customer = "{'propensityScores.b':'0.75'}",
	     .explained = LIST("'model':'propensityScores'",
			       "'propensity':0.5,'learned':1,'score':1}",
			       "'propensity':0.75,'score':0.75}"),
	     .expect = "a/m=1 b/m=0.75"},
	    {.name = "a propensity that answers are blended into",
	     .more = "'answers':[{'offerId':'a','outcome':'click','count':10}"
		     "],",
	     .nodes = "{'type':'score','config':{'method':'propensity',"
		      "'smoothingWeight':30}}," END,
	     .offers = ONE_OFFER,
	     .customer = "{'propensityScores.a':'0.2'}",
	     .explained = LIST("'smoothingWeight':30", "'propensity':0.2",
			       "'positives':10,'answers':10", "'score':0.4}"),
	     .expect = "a/m=0.4"},
	    {.name = "rules that multiply",
	     .nodes = QUALIFY "{'type':'score'}," END,
	     .offers = ONE_OFFER,
	     .rules = CASE_IF(
		 "f", CASE_GLOBAL, "fit",
		 "'attribute':'age','operator':'gt','value':40,"
		 "'decay':0.5") "," CASE_IF("g", CASE_GLOBAL, "fit",
					    "'attribute':'age','operator':'gt',"
					    "'value':20,"
					    "'decay':0.1") "," CASE_IF("h",
								       CASE_GLOBAL,
								       "match",
								       "'attrib"
								       "ute':'"
								       "age','"
								       "operato"
								       "r':'gt'"
								       ",'"
								       "value':"
								       "20,"
								       "'multip"
								       "lier':"
								       "3") "," CASE_IF("i",
											CASE_GLOBAL,
											"match",
											"'attribute':'age','operator':'gt','value':40,"
											"'multiplier':7"),
	     .customer = "{'age':'30'}",
	     .explained =
		 LIST("'fit':0.5,'match':3,'rules':[{'id':'f','name':'f',"
		      "'factor':0.5},{'id':'h','name':'h','factor':3}],"
		      "'score':0.75}"),
	     .expect = "a/m=0.75"},
	    {.name = "the weights of a formula",
	     .nodes = "{'type':'score','config':{'method':'formula','formula':"
		      "{'emphasisWeight':2,'impactWeight':2}}}," END,
	     .offers = CASE_OFFER("a", "25", ",'businessValue':25"),
	     .explained =
		 LIST("'method':'formula'", "'priority':25,'businessValue':25",
		      "'weights':{'impactWeight':0.5,"
		      "'emphasisWeight':0.5},'score':0.25}"),
	     .expect = "a/m=0.25"},
	    {.name = "objectives",
	     .nodes = "{'type':'score'},{'type':'optimize','config':{'weights'"
		      ":{'score':1,'impact':1}}}," END,
	     .offers = CASE_OFFER("a", "50", ",'businessValue':100"),
	     .explained = LIST("'optimized':true,'objectives':{'score':0.5,"
			       "'impact':0.5}",
			       "'ofMethod':0.5,'ofOffer':0.5,'score':0.75}"),
	     .expect = "a/m=0.75"},
	    {.name = "another channel went before, and who comes too late",
	     .nodes = "{'type':'rank','config':{'maxCandidates':1}}," END,
	     .channels = CASE_CHANNEL("m") "," CASE_CHANNEL("n"),
	     .explained =
		 LIST("'decisions':[{'rank':1,'offerId':'a','offerName':'a',"
		      "'channelId':'m'",
		      "'left':[{'offerId':'a','offerName':'a','channelId':'n',"
		      "'because':'another'},{'offerId':'b','offerName':'b',"
		      "'channelId':'m','because':'maxCandidates'},{'offerId':"
		      "'b','offerName':'b','channelId':'n','because':"
		      "'maxCandidates'}]"),
	     .expect = "a/m=0.5"},
	    {.name = "a cap cuts, its offer's other channel is left",
	     .nodes = "{'type':'contact_policy'}," END,
	     .channels = CASE_CHANNEL("m") "," CASE_CHANNEL("n"),
	     .policies = CASE_POLICY("p", CASE_GLOBAL, "frequency_cap",
				     "'maxPerDay':1"),
	     .explained =
		 LIST("{'step':'contact_policy','dropped':[{'offerId':'b',"
		      "'offerName':'b','channelId':'m','by':{'type':'policy'"
		      ",'id':'p','name':'p'}}]}",
		      "'left':[{'offerId':'a','offerName':'a','channelId':'n',"
		      "'because':'another'},{'offerId':'b','offerName':'b',"
		      "'channelId':'n','because':'another'}]"),
	     .expect = "a/m=0.5 -b/m:p"},
	};

	DECIDE_CASES(cases);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_explanations),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
