/* Nodes: creatives, flows that are called, methods of scoring and ranking. */

#include "base/base.h"

#include "decide_case.h"

#define END "{'id':'e','type':'response'}"
#define BOTH "a/m=0.5 b/m=0.4"
#define MATCH(config)                                                          \
	"{'id':'c','type':'match_creatives','config':{" config "}}," END
#define CREATIVE(id, offer, weight, more)                                      \
	"{'id':'" id "','name':'" id "','offerId':'" offer                     \
	"','channelId':'m','weight':" weight more "}"
#define PLACED(id, offer, weight)                                              \
	CREATIVE(id, offer, weight, ",'placementId':'top'")

static void
test_creatives(void **state KRN_UNUSED)
{
	static const struct decide_case cases[] = {
	    {.name = "none is there",
	     .nodes = MATCH(""),
	     .expect = "-a/m:c -b/m:c"},
	    {.name = "one must be there",
	     .nodes = MATCH("'requireCreative':true"),
	     .creatives = CREATIVE("x", "a", "100", ""),
	     .expect = "a/m*x=0.5 -b/m:c"},
	    {.name = "none need be there",
	     .nodes = MATCH("'requireCreative':false"),
	     .creatives = CREATIVE("x", "a", "100", ""),
	     .expect = "a/m*x=0.5 b/m=0.4"},
	    {.name = "without the node there are none",
	     .nodes = END,
	     .creatives = CREATIVE("x", "a", "50", ""),
	     .expect = BOTH},
	    {.name = "the weight counts",
	     .nodes = MATCH(""),
	     .creatives =
		 CREATIVE("x", "a", "50", "") "," CREATIVE("y", "b", "100", ""),
	     .expect = "b/m*y=0.4 a/m*x=0.25"},
	    {.name = "a weight of 0 leaves a candidate",
	     .nodes = MATCH(""),
	     .creatives = CREATIVE("x", "a", "0", ""),
	     .expect = "a/m*x=0 -b/m:c"},
	    {.name = "the highest weight, then the name",
	     .nodes = MATCH("'requireCreative':false"),
	     .creatives = CREATIVE("z", "a", "80", "") "," CREATIVE(
		 "x", "a", "90", "") "," CREATIVE("w", "a", "90",
						  "") "," CREATIVE("v", "a",
								   "10", ""),
	     .expect = "a/m*w=0.45 b/m=0.4"},
	    {.name = "of another channel, or offer",
	     .nodes = MATCH(""),
	     .creatives = CREATIVE("x", "q", "100",
				   "") ",{'id':'y','name':'y'"
				       ",'offerId':'a','channelId':'n'}",
	     .expect = "-a/m:c -b/m:c"},
	    {.name = "of each channel",
	     .nodes = MATCH("'placementMatchMode':'any'"),
	     .channels = CASE_CHANNEL("m") "," CASE_CHANNEL("n"),
	     .creatives =
		 CREATIVE("x", "a", "50", "") ",{'id':'y','name':'y',"
					      "'offerId':'a','channelId':'n'}",
	     .expect = "a/n*y=0.5 -b/m:c -b/n:c"},
	    {.name = "any placement",
	     .nodes = MATCH(""),
	     .creatives = PLACED("x", "a", "100"),
	     .expect = "a/m*x=0.5 -b/m:c"},
	    {.name = "placements are not compared",
	     .nodes = MATCH("'placementMatchMode':'none'"),
	     .creatives = PLACED("x", "a", "100"),
	     .expect = "a/m*x=0.5 -b/m:c"},
	    {.name = "the placement asked for, which is none",
	     .nodes = MATCH("'placementMatchMode':'exact'"),
	     .creatives = PLACED("x", "a", "100") "," CREATIVE(
		 "y", "a", "60", "") "," PLACED("z", "b", "100"),
	     .expect = "a/m*y=0.3 -b/m:c"},
	    {.name = "the rules come later",
	     .nodes = "{'type':'qualify'}," MATCH(""),
	     .rules = CASE_IF("r", CASE_GLOBAL, "eligibility",
			      "'attribute':'none','operator':'exists'"),
	     .creatives = CREATIVE("x", "a", "100", ""),
	     .expect = "-a/m:r -b/m:c"},
	    {.name = "another mode",
	     .nodes = MATCH("'placementMatchMode':'near'"),
	     .refused = "placementMatchMode \"near\" is not supported"},
	    {.name = "requireCreative is no boolean",
	     .nodes = MATCH("'requireCreative':'yes'"),
	     .refused = "requireCreative must be true or false"},
	};

	DECIDE_CASES(cases);
}

#define SCORE(config) "{'id':'s','type':'score','config':{" config "}}," END
#define OVERRIDE(scope, value)                                                 \
	SCORE("'method':'formula','formula':{'emphasisWeight':1},"             \
	      "'strategyOverrides':[{'scope':'" scope "','value':'" value      \
	      "','strategyProfileId':'w'}]")
#define PROFILES                                                               \
	"{'id':'w','name':'w','weights':{'impact':1}},"                        \
	"{'id':'v','name':'v','weights':{'propensity':1}}"
#define OFFERS                                                                 \
	CASE_OFFER("a", "50",                                                  \
		   ",'categoryId':'g','categoryName':'G','productType':'t',"   \
		   "'businessValue':25")                                       \
	"," CASE_OFFER("b", "40",                                              \
		       ",'categoryId':'h','categoryName':'H',"                 \
		       "'businessValue':10")

static void
test_scores(void **state KRN_UNUSED)
{
	static const struct decide_case cases[] = {
	    {.name = "propensity is 0.5",
	     .nodes = SCORE("'method':'propensity'"),
	     .expect = "a/m=0.5 b/m=0.5"},
	    {.name = "propensity of its column, clamped",
	     .nodes = SCORE("'method':'propensity'"),
	     .customer = "{'propensityScores.a':'0.125',"
			 "'propensityScores.b':'7'}",
	     .expect = "b/m=1 a/m=0.125"},
	    {.name = "propensity with rules; the weight does not count",
	     .nodes = "{'type':'qualify'},{'type':'match_creatives'},"
		      "{'id':'s','type':'score','config':{'method':"
		      "'propensity'}}," END,
	     .creatives =
		 CREATIVE("x", "a", "10", "") "," CREATIVE("y", "b", "100", ""),
	     .rules = CASE_IF(
		 "r", CASE_OF("offer", "a"), "match",
		 "'attribute':'none','operator':'not_exists',"
		 "'multiplier':4") "," CASE_IF("s", CASE_OF("offer", "b"),
					       "fit",
					       "'attribute':'none','operator':'"
					       "exists','decay':0.5"),
	     .customer = "{'propensityScores.a':'0.25'}",
	     .expect = "a/m*x=1 b/m*y=0.25"},
	    {.name = "an override by category",
	     .nodes = OVERRIDE("category", "g"),
	     .offers = OFFERS,
	     .profiles = PROFILES,
	     .expect = "b/m=0.4 a/m=0.25"},
	    {.name = "by the category's name",
	     .nodes = OVERRIDE("category", "H"),
	     .offers = OFFERS,
	     .profiles = PROFILES,
	     .expect = "a/m=0.5 b/m=0.1"},
	    {.name = "by product type",
	     .nodes = OVERRIDE("productType", "t"),
	     .offers = OFFERS,
	     .profiles = PROFILES,
	     .expect = "b/m=0.4 a/m=0.25"},
	    {.name = "by channel",
	     .nodes = OVERRIDE("channel", "n"),
	     .channels = CASE_CHANNEL("m") "," CASE_CHANNEL("n"),
	     .offers = OFFERS,
	     .profiles = PROFILES,
	     .expect = "a/m=0.5 b/m=0.4"},
	    {.name = "that fits nothing",
	     .nodes = OVERRIDE("channel", "g"),
	     .offers = OFFERS,
	     .profiles = PROFILES,
	     .expect = "a/m=0.5 b/m=0.4"},
	    {.name = "the first that fits counts",
	     .nodes = SCORE(
		 "'method':'formula','formula':{'emphasisWeight':1},"
		 "'strategyOverrides':[{'scope':'category','value':'g',"
		 "'strategyProfileId':'v'},{'scope':'channel','value':'m',"
		 "'strategyProfileId':'w'}]"),
	     .offers = OFFERS,
	     .profiles = PROFILES,
	     .expect = "a/m=0.5 b/m=0.1"},
	    {.name = "overrides of another method",
	     .nodes = SCORE("'method':'propensity','strategyOverrides':[{}]"),
	     .refused = "strategyOverrides need the method formula"},
	    {.name = "another scope",
	     .nodes = OVERRIDE("offer", "a"),
	     .profiles = PROFILES,
	     .refused = "scope must be category, productType or channel"},
	    {.name = "no value",
	     .nodes = OVERRIDE("channel", ""),
	     .profiles = PROFILES,
	     .refused = "an override needs a value"},
	    {.name = "no profile",
	     .nodes = OVERRIDE("channel", "m"),
	     .refused = "the ranking profile is not there"},
	};

	DECIDE_CASES(cases);
}

#define RANK(method)                                                           \
	"{'id':'k','type':'rank','config':{'method':'" method "',"             \
	"'maxCandidates':9}}," END
#define OF(id, priority, category)                                             \
	CASE_OFFER(id, priority,                                               \
		   ",'categoryId':'" category "','categoryName':'" category    \
		   "'")
/* y: a, b, d; x: c, f; none: e */
#define SIX                                                                    \
	OF("a", "90", "y")                                                     \
	"," OF("b", "80", "y") "," OF("c", "70", "x") "," OF(                  \
	    "d", "60", "y") "," CASE_OFFER("e", "50", "") "," OF("f", "40",    \
								 "x")

static void
test_ranks(void **state KRN_UNUSED)
{
	static const struct decide_case cases[] = {
	    {.name = "score",
	     .nodes = RANK("score"),
	     .offers = SIX,
	     .expect = "a/m=0.9 b/m=0.8 c/m=0.7 d/m=0.6 e/m=0.5 f/m=0.4"},
	    {.name = "diversity",
	     .nodes = RANK("diversity"),
	     .offers = SIX,
	     .expect = "a/m=0.9 c/m=0.7 e/m=0.5 b/m=0.8 f/m=0.4 d/m=0.6"},
	    {.name = "round robin: no category, x, y",
	     .nodes = RANK("round_robin"),
	     .offers = SIX,
	     .expect = "e/m=0.5 c/m=0.7 a/m=0.9 f/m=0.4 b/m=0.8 d/m=0.6"},
	    {.name = "diversity, cut",
	     .nodes = "{'type':'rank','config':{'method':'diversity',"
		      "'maxCandidates':4}}," END,
	     .offers = SIX,
	     .expect = "a/m=0.9 c/m=0.7 e/m=0.5 b/m=0.8"},
	    {.name = "of one category, as the scores are",
	     .nodes = RANK("diversity"),
	     .offers = OF("a", "10", "x") "," OF("b", "30",
						 "x") "," OF("c", "20", "x"),
	     .expect = "b/m=0.3 c/m=0.2 a/m=0.1"},
	    {.name = "categories of one name are two",
	     .nodes = RANK("round_robin"),
	     .offers = CASE_OFFER(
		 "a", "90",
		 ",'categoryId':'2','categoryName'"
		 ":'x'") "," CASE_OFFER("b", "80",
					",'categoryId':'2','categoryName':'"
					"x'") "," CASE_OFFER("c", "10",
							     ",'categoryId'"
							     ":'1','"
							     "categoryName'"
							     ":'x'"),
	     .expect = "c/m=0.1 a/m=0.9 b/m=0.8"},
	    {.name = "what is dropped takes no turn",
	     .nodes = "{'type':'qualify'}," RANK("diversity"),
	     .offers = SIX,
	     .rules = CASE_IF("r", CASE_OF("offer", "a"), "eligibility",
			      "'attribute':'none','operator':'exists'"),
	     .expect = "b/m=0.8 c/m=0.7 e/m=0.5 d/m=0.6 f/m=0.4 -a/m:r"},
	    {.name = "what a cap cuts leaves no turn to others",
	     .nodes = "{'type':'contact_policy'}," RANK("diversity"),
	     .offers = SIX,
	     .policies = CASE_POLICY("p", CASE_OF("category", "y"),
				     "frequency_cap", "'maxTotal':1"),
	     .expect = "a/m=0.9 c/m=0.7 e/m=0.5 f/m=0.4 -b/m:p -d/m:p"},
	    {.name = "each offer on its best channel",
	     .nodes = "{'type':'qualify'}," RANK("diversity"),
	     .offers = OF("a", "90", "y") "," OF("b", "80", "y"),
	     .channels = CASE_CHANNEL("m") "," CASE_CHANNEL("n"),
	     .rules = CASE_IF("r", CASE_OF("channel", "n"), "match",
			      "'attribute':'none','operator':'not_exists',"
			      "'multiplier':2"),
	     .expect = "a/n=1.8 b/n=1.6"},
	};

	DECIDE_CASES(cases);
}

#define CALL(flow)                                                             \
	"{'id':'x','type':'call_flow','config':{'decisionFlowId':'" flow "'}}"
#define FLOW(id, nodes)                                                        \
	"{'id':'" id "','name':'" id "','config':{'nodes':[{'id':'i','type':"  \
	"'inventory'}," nodes "]}}"
#define NOBODY                                                                 \
	CASE_IF("r", CASE_OF("offer", "a"), "eligibility",                     \
		"'attribute':'none','operator':'exists'")

static void
test_calls(void **state KRN_UNUSED)
{
	static const struct decide_case cases[] = {
	    {.name = "its narrowing nodes count",
	     .nodes = CALL("g") "," END,
	     .flows = FLOW("g", "{'type':'qualify'}," END),
	     .rules = NOBODY,
	     .expect = "b/m=0.4 -a/m:r"},
	    {.name = "its others do not",
	     .nodes = CALL("g") "," END,
	     .flows = FLOW(
		 "g",
		 "{'type':'score','config':{'method':"
		 "'odd'}},{'type':'rank','config':{"
		 "'maxCandidates':1}},{'type':'optimize'},{'type':'group'}"),
	     .rules = NOBODY,
	     .expect = BOTH},
	    {.name = "its inventory narrows",
	     .nodes = CALL("g") "," END,
	     .flows = "{'id':'g','name':'g','config':{'nodes':[{'type':"
		      "'inventory','config':{'offerIds':['b']}}]}}",
	     .expect = "b/m=0.4"},
	    {.name = "it does not widen",
	     .inventory = "{'offerIds':['a']}",
	     .nodes = CALL("g") "," END,
	     .flows = FLOW("g", END),
	     .expect = "a/m=0.5"},
	    {.name = "the same gate twice",
	     .nodes = "{'type':'qualify'}," CALL("g") "," END,
	     .flows = FLOW("g", "{'type':'qualify'}," END),
	     .rules = NOBODY,
	     .expect = "b/m=0.4 -a/m:r"},
	    {.name = "three deep",
	     .nodes = CALL("g") "," END,
	     .flows = FLOW("g", CALL("h")) "," FLOW("h", CALL("j")) "," FLOW(
		 "j", "{'type':'qualify'}"),
	     .rules = NOBODY,
	     .expect = "b/m=0.4 -a/m:r"},
	    {.name = "four deep",
	     .nodes = CALL("g") "," END,
	     .flows = FLOW("g", CALL("h")) "," FLOW("h", CALL("j")) "," FLOW(
		 "j", CALL("l")) "," FLOW("l", END),
	     .refused = "flows are called more than 3 deep"},
	    {.name = "itself",
	     .nodes = CALL("f") "," END,
	     .flows = FLOW("f", END),
	     .refused = "node \"x\": the flow calls itself"},
	    {.name = "in a circle",
	     .nodes = CALL("g") "," END,
	     .flows = FLOW("g", CALL("h")) "," FLOW("h", CALL("g")),
	     .refused = "the flow calls itself"},
	    {.name = "twice is no circle",
	     .nodes = CALL("g") "," CALL("g") "," END,
	     .flows = FLOW("g", "{'type':'qualify'}"),
	     .rules = NOBODY,
	     .expect = "b/m=0.4 -a/m:r"},
	    {.name = "creatives twice",
	     .nodes = "{'type':'match_creatives'}," CALL("g") "," END,
	     .flows = FLOW("g", "{'type':'match_creatives'}"),
	     .refused = "match_creatives is there more than once"},
	    {.name = "what is not there",
	     .nodes = CALL("g") "," END,
	     .refused = "the flow that it calls is not there or not published"},
	    {.name = "a response of its own is not ours",
	     .nodes = CALL("g"),
	     .flows = FLOW("g", END),
	     .refused = "the flow has no response"},
	    {.name = "after the ranking",
	     .nodes = "{'type':'rank'}," CALL("g") "," END,
	     .flows = FLOW("g", "{'type':'qualify'}"),
	     .rules = NOBODY,
	     .expect = "b/m=0.4 -a/m:r"},
	    {.name = "what changes nothing",
	     .nodes =
		 "{'type':'extension_point'},{'type':'compute','config':{"
		 "'x':1}},{'type':'compute'},{'type':'set_properties'}," END,
	     .expect = BOTH},
	};

	DECIDE_CASES(cases);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_creatives),
	    cmocka_unit_test(test_scores),
	    cmocka_unit_test(test_ranks),
	    cmocka_unit_test(test_calls),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
