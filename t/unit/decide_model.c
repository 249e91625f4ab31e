/* Propensities: models, experiments, what was learned; enriched schemas. */

#include "base/base.h"

#include "decide_case.h"

#define END "{'id':'e','type':'response'}"
#define SCORE(config) "{'id':'s','type':'score','config':{" config "}}," END
#define PROPENSITY(more) SCORE("'method':'propensity'" more)
#define ENRICH(sources)                                                        \
	"{'id':'n','type':'enrich','config':{'sources':[" sources "]}},"
#define SCHEMAS                                                                \
	"'schemas':[{'id':'sch_1','name':'scores','tableName':'ds_scores',"    \
	"'idColumn':'who','columns':[{'name':'who','type':'text'},"            \
	"{'name':'a','type':'double precision'},"                              \
	"{'name':'b','type':'double precision'},"                              \
	"{'name':'age','type':'bigint'}]}],"
#define FROM_SCORES ENRICH("{'schemaId':'scores','prefix':'v2'}")

static void
test_models(void **state KRN_UNUSED)
{
	static const struct decide_case cases[] = {
	    {.name = "the default one",
	     .nodes = PROPENSITY(",'modelKey':'propensityScores'"),
	     .customer = "{'propensityScores.a':'0.25'}",
	     .expect = "b/m=0.5 a/m=0.25"},
	    {.name = "one whose scores are enriched",
	     .more = SCHEMAS,
	     .nodes = FROM_SCORES PROPENSITY(",'modelKey':'v2'"),
	     .customer = "{'propensityScores.a':'0.25','v2.a':'0.125',"
			 "'v2.b':'0.75'}",
	     .expect = "b/m=0.75 a/m=0.125"},
	    {.name = "of a formula",
	     .more = SCHEMAS,
	     .nodes = FROM_SCORES SCORE("'method':'formula','modelKey':'v2',"
					"'formula':{'propensityWeight':1}"),
	     .customer = "{'v2.a':'0.125','v2.b':'0.75'}",
	     .expect = "b/m=0.75 a/m=0.125"},
	    {.name = "one that has no scores",
	     .nodes = PROPENSITY(",'modelKey':'onnx'"),
	     .refused = "score: there are no scores of the model \"onnx\": no "
			"attribute \"onnx.<offer>\""},
	    {.name = "what does not need one",
	     .nodes = SCORE("'modelKey':'onnx'"),
	     .expect = "a/m=0.5 b/m=0.4"},
	    {.name = "a rule's own",
	     .more = SCHEMAS,
	     .nodes = "{'type':'enrich','config':{'sources':[{'schemaId':"
		      "'scores','prefix':'v2'}]}},{'type':'qualify'}," END,
	     .rules = CASE_RULE("r", CASE_GLOBAL, "eligibility",
				"propensity_threshold",
				"'model':'v2','minScore':0.5"),
	     .customer = "{'propensityScores.a':'1','v2.a':'0.25'}",
	     .expect = "b/m=0.4 -a/m:r"},
	    {.name = "a rule's that has no scores: the default one's",
	     .rules = CASE_RULE("r", CASE_GLOBAL, "eligibility",
				"propensity_threshold",
				"'model':'v2','minScore':0.5"),
	     .customer = "{'propensityScores.a':'0.25'}",
	     .expect = "b/m=0.4 -a/m:r"},
	};

	DECIDE_CASES(cases);
}

/* Hashes of "x:k1" and so on modulo 100: 19, 38, 57; computed elsewhere. */
#define EXPERIMENT(more) ",'championChallenger':{'experimentId':'x'," more "}"
#define ARMS(first, second)                                                    \
	"'champion':{'weight':" first "},'challengers':[{'modelKey':'v2',"     \
	"'weight':" second "}]"
#define SCORED .customer = "{'propensityScores.a':'0.25','v2.a':'0.75'}"
#define CHAMPION "b/m=0.5 a/m=0.25"
#define CHALLENGER "a/m=0.75 b/m=0.5"

static void
test_experiments(void **state KRN_UNUSED)
{
	static const struct decide_case cases[] = {
	    {.name = "the champion's part ends where its weight says",
	     .more = SCHEMAS,
	     .nodes = FROM_SCORES PROPENSITY(EXPERIMENT(ARMS("20", "80"))),
	     .id = "k1",
	     SCORED,
	     .expect = CHAMPION},
	    {.name = "and not before",
	     .more = SCHEMAS,
	     .nodes = FROM_SCORES PROPENSITY(EXPERIMENT(ARMS("19", "81"))),
	     .id = "k1",
	     SCORED,
	     .expect = CHALLENGER},
	    {.name = "another customer",
	     .more = SCHEMAS,
	     .nodes = FROM_SCORES PROPENSITY(EXPERIMENT(ARMS("50", "50"))),
	     .id = "k2",
	     SCORED,
	     .expect = CHAMPION},
	    {.name = "a third",
	     .more = SCHEMAS,
	     .nodes = FROM_SCORES PROPENSITY(EXPERIMENT(ARMS("50", "50"))),
	     .id = "k3",
	     SCORED,
	     .expect = CHALLENGER},
	    {.name = "switched off",
	     .nodes = PROPENSITY(",'championChallenger':{'enabled':false}"),
	     .expect = "a/m=0.5 b/m=0.5"},
	    {.name = "weights of less than 100",
	     .more = SCHEMAS,
	     .nodes = FROM_SCORES PROPENSITY(EXPERIMENT(ARMS("50", "49"))),
	     .refused = "must be whole numbers that make 100"},
	    {.name = "weights of more than 100",
	     .more = SCHEMAS,
	     .nodes = FROM_SCORES PROPENSITY(EXPERIMENT(ARMS("50", "51"))),
	     .refused = "must be whole numbers that make 100"},
	    {.name = "a fraction",
	     .more = SCHEMAS,
	     .nodes = FROM_SCORES PROPENSITY(EXPERIMENT(ARMS("49.5", "50.5"))),
	     .refused = "must be whole numbers that make 100"},
	    {.name = "a model without scores",
	     .nodes = PROPENSITY(EXPERIMENT(ARMS("50", "50"))),
	     .refused = "there are no scores of the model \"v2\""},
	    {.name = "nothing but a champion",
	     .nodes = PROPENSITY(EXPERIMENT("'champion':{'weight':100}")),
	     .refused = "needs experimentId, champion and challengers"},
	    {.name = "not said whether",
	     .nodes = PROPENSITY(",'championChallenger':{'challengers':[]}"),
	     .refused = "needs experimentId, champion and challengers"},
	    {.name = "of priorities",
	     .nodes = SCORE("'championChallenger':{'enabled':true}"),
	     .refused = "championChallenger needs the method propensity or "
			"formula"},
	};

	DECIDE_CASES(cases);
}

#define OF_OFFER(id, outcome, count)                                           \
	"{'offerId':'" id "','outcome':'" outcome "','count':" count "}"
#define OF_CATEGORY(id, outcome, count)                                        \
	"{'categoryId':'" id "','outcome':'" outcome "','count':" count "}"
#define OF_ALL(outcome, count) "{'outcome':'" outcome "','count':" count "}"
#define LEARNED(rows)                                                          \
	.more = "'outcomes':[{'key':'seen','classification':'positive',"       \
		"'category':'impression'},{'key':'grumble','classification':"  \
		"'negative','category':'response'}],'answers':[" rows "],"

static void
test_learned(void **state KRN_UNUSED)
{
	static const struct decide_case cases[] = {
	    {.name = "50 answers are the offer's own share",
	     LEARNED(OF_OFFER("a", "click", "10") "," OF_OFFER("a", "dismiss",
							       "40")),
	     .nodes = PROPENSITY(""),
	     .customer = "{'propensityScores.a':'0.9'}",
	     .expect = "b/m=0.5 a/m=0.2"},
	    {.name = "49 are blended with the model",
	     LEARNED(OF_OFFER("a", "click", "9") "," OF_OFFER("a", "grumble",
							      "40")),
	     .nodes = PROPENSITY(""),
	     .customer = "{'propensityScores.a':'1'}",
	     /* (9 + 10 × 1) / (49 + 10) */
	     .expect = "b/m=0.5 a/m=0.3220338983050847"},
	    {.name = "with the category's share",
	     LEARNED(OF_OFFER("a", "click", "10") "," OF_CATEGORY(
		 "g", "click", "10") "," OF_CATEGORY("g", "dismiss", "10")),
	     .nodes = PROPENSITY(""),
	     .customer = "{'propensityScores.a':'0'}",
	     /* (10 + 10 × 0.5) / (10 + 10) */
	     .expect = "a/m=0.75 b/m=0.5"},
	    {.name = "the category alone",
	     LEARNED(OF_CATEGORY("g", "click",
				 "5") "," OF_CATEGORY("g", "dismiss", "15")),
	     .nodes = PROPENSITY(""),
	     .expect = "b/m=0.5 a/m=0.25"},
	    {.name = "19 of the category are too few",
	     LEARNED(OF_CATEGORY("g", "dismiss", "19")),
	     .nodes = PROPENSITY(""),
	     .expect = "a/m=0.5 b/m=0.5"},
	    {.name = "then all",
	     LEARNED(OF_CATEGORY("g", "dismiss", "19") "," OF_ALL(
		 "click", "1") "," OF_ALL("dismiss", "9")),
	     .nodes = PROPENSITY(""),
	     .expect = "a/m=0.1 b/m=0.1"},
	    {.name = "9 of all are too few",
	     LEARNED(OF_ALL("click", "9")),
	     .nodes = PROPENSITY(""),
	     .customer = "{'propensityScores.a':'0.25'}",
	     .expect = "b/m=0.5 a/m=0.25"},
	    {.name = "contacts and neutral answers say nothing",
	     LEARNED(OF_OFFER("a", "seen", "90") "," OF_OFFER(
		 "a", "expired", "90") "," OF_OFFER("a", "unheard", "90")),
	     .nodes = PROPENSITY(""),
	     .expect = "a/m=0.5 b/m=0.5"},
	    {.name = "another smoothing",
	     LEARNED(OF_OFFER("a", "click",
			      "10") "," OF_CATEGORY("g", "dismiss", "20")),
	     .nodes = PROPENSITY(",'smoothingWeight':30"),
	     /* (10 + 30 × 0) / (10 + 30) */
	     .expect = "b/m=0.5 a/m=0.25"},
	    {.name = "no smoothing",
	     .nodes = PROPENSITY(",'smoothingWeight':0"),
	     .refused = "smoothingWeight must be above 0"},
	    {.name = "a formula does not learn",
	     LEARNED(OF_OFFER("a", "click", "100")),
	     .nodes = SCORE("'method':'formula','formula':{"
			    "'propensityWeight':1}"),
	     .expect = "a/m=0.5 b/m=0.5"},
	    {.name = "who has learned enough needs no model's number",
	     LEARNED(OF_OFFER("a", "click", "100")),
	     .nodes = PROPENSITY(""),
	     .customer = "{'propensityScores.a':'x'}",
	     .expect = "a/m=1 b/m=0.5"},
	    {.name = "who has not does",
	     LEARNED(OF_OFFER("a", "click", "1")),
	     .nodes = PROPENSITY(""),
	     .customer = "{'propensityScores.a':'x'}",
	     .expect = "E:attribute \"propensityScores.a\" is not a finite "
		       "number"},
	};

	DECIDE_CASES(cases);
}

#define FILTER(field, operator, value)                                         \
	"{'id':'f','type':'filter','config':{'conditions':[{'field':'" field   \
	"','operator':'"                                                       \
	operator"','value':" value "}]}},"

static void
test_enrich(void **state KRN_UNUSED)
{
	static const struct decide_case cases[] = {
	    {.name = "no sources",
	     .nodes = "{'type':'enrich'}," END,
	     .expect = "a/m=0.5 b/m=0.4"},
	    {.name = "a field under its prefix",
	     .more = SCHEMAS,
	     .nodes = ENRICH("{'schemaId':'sch_1','fields':['age'],'prefix':"
			     "'x','cacheTtlSeconds':60}")
		 FILTER("customer.x.age", "gt", "30") END,
	     .customer = "{'x.age':'31','age':'1'}",
	     .expect = "a/m=0.5 b/m=0.4"},
	    {.name = "it has its type",
	     .more = SCHEMAS,
	     .nodes = ENRICH("{'schemaId':'sch_1','prefix':'x'}")
		 FILTER("customer.x.age", "gt", "9") END,
	     .customer = "{'x.age':'10'}",
	     .expect = "a/m=0.5 b/m=0.4"},
	    {.name = "who has no row has nothing",
	     .more = SCHEMAS,
	     .nodes = ENRICH("{'schemaId':'sch_1','prefix':'x'}")
		 FILTER("customer.x.age", "is_null", "1") END,
	     .expect = "a/m=0.5 b/m=0.4"},
	    {.name = "without a prefix",
	     .more = SCHEMAS,
	     .nodes = ENRICH("{'schemaId':'sch_1','fields':['a']}")
		 FILTER("customer.a", "eq", "0.5") END,
	     .customer = "{'a':'0.50'}",
	     .expect = "a/m=0.5 b/m=0.4"},
	    {.name = "the id is not brought along",
	     .more = SCHEMAS,
	     .nodes = ENRICH("{'schemaId':'sch_1','prefix':'x'}")
		 FILTER("customer.x.who", "is_null", "1") END,
	     .expect = "a/m=0.5 b/m=0.4"},
	    {.name = "an attribute that is there",
	     .more = SCHEMAS,
	     .nodes = ENRICH("{'schemaId':'sch_1','fields':['age']}") END,
	     .refused = "node \"n\": the attribute \"age\" is there already"},
	    {.name = "the same twice",
	     .more = SCHEMAS,
	     .nodes = FROM_SCORES FROM_SCORES END,
	     .refused = "the attribute \"v2.a\" is there already"},
	    {.name = "another field",
	     .more = SCHEMAS,
	     .nodes = ENRICH("{'schemaId':'sch_1','fields':['z'],'prefix':'x'"
			     "}") END,
	     .refused = "the schema \"scores\" has not all of the fields"},
	    {.name = "another schema",
	     .more = SCHEMAS,
	     .nodes = ENRICH("{'schemaId':'z'}") END,
	     .refused = "node \"n\": no schema \"z\""},
	    {.name = "no schema",
	     .nodes = ENRICH("{}") END,
	     .refused = "node \"n\": a source needs a schemaId"},
	    {.name = "fields that are none",
	     .nodes = ENRICH("{'schemaId':'z','fields':[1]}") END,
	     .refused = "node \"n\": fields must be a list of names"},
	    {.name = "a prefix that is none",
	     .nodes = ENRICH("{'schemaId':'z','prefix':1}") END,
	     .refused = "node \"n\": prefix must be a string"},
	    {.name = "a time to live",
	     .nodes = ENRICH("{'schemaId':'z','cacheTtlSeconds':-1}") END,
	     .refused = "node \"n\": cacheTtlSeconds must be 0 to 86400"},
	    {.name = "another key",
	     .nodes = "{'id':'n','type':'enrich','config':{'lookupKey':"
		      "'account_id'}}," END,
	     .refused =
		 "node \"n\": lookupKey \"account_id\" is not supported"},
	    {.name = "sources that are none",
	     .nodes = "{'id':'n','type':'enrich','config':{'sources':{}}}," END,
	     .refused = "node \"n\": sources must be a list"},
	};

	DECIDE_CASES(cases);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_models),
	    cmocka_unit_test(test_experiments),
	    cmocka_unit_test(test_learned),
	    cmocka_unit_test(test_enrich),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
