/* The flow's nodes: which offers, in which order; and refusals. */

#include "base/base.h"

#include "decide_case.h"

#include "base/buf.h"

#define END "{'id':'e','type':'response'}"
#define BOTH "a/m=0.5 b/m=0.4"
#define STATUS(id, status)                                                     \
	"{'id':'" id "','name':'" id "','status':'" status "','priority':50}"

static void
test_inventory(void **state KRN_UNUSED)
{
	static const struct decide_case cases[] = {
	    {.name = "defaults", .expect = BOTH},
	    {.name = "all",
	     .inventory = "{'scope':'all','includeStatuses':['active'],"
			  "'subCategoryIds':[]}",
	     .expect = BOTH},
	    {.name = "of a category",
	     .inventory = "{'scope':'category','categoryIds':['x','h']}",
	     .expect = "b/m=0.4"},
	    {.name = "of no category",
	     .inventory = "{'scope':'category','categoryIds':[]}",
	     .expect = ""},
	    {.name = "categories without their scope",
	     .inventory = "{'scope':'all','categoryIds':['h']}",
	     .expect = BOTH},
	    {.name = "chosen offers",
	     .inventory = "{'offerIds':['a','z']}",
	     .expect = "a/m=0.5"},
	    {.name = "chosen offers of a category",
	     .inventory = "{'scope':'category','categoryIds':['h'],"
			  "'offerIds':['a']}",
	     .expect = ""},
	    {.name = "only active offers",
	     .offers = "{'id':'a','name':'a','status':'draft'},{'id':'b',"
		       "'name':'b','status':'paused'},{'id':'c','name':'c',"
		       "'status':'deleted'}," CASE_OFFER("d", "10", ""),
	     .expect = "d/m=0.1"},
	    {.name = "a deleted offer, chosen",
	     .offers = "{'id':'a','name':'a','status':'deleted'}",
	     .inventory = "{'offerIds':['a']}",
	     .expect = ""},
	    {.name = "priority 50 when there is none",
	     .offers = "{'id':'a','name':'a','status':'active'}",
	     .expect = "a/m=0.5"},
	    {.name = "no offers", .offers = "", .expect = ""},
	    {.name = "no channels", .channels = "", .expect = ""},
	    {.name = "only active file channels",
	     .channels = "{'id':'m','name':'m','status':'paused',"
			 "'deliveryMode':'file'},{'id':'n','name':'n','status':"
			 "'active','deliveryMode':'api'}," CASE_CHANNEL("o"),
	     .expect = "a/o=0.5 b/o=0.4"},
	    {.name = "the channels asked for",
	     .channels = CASE_CHANNEL("m") "," CASE_CHANNEL("n"),
	     .asked = "['n']",
	     .expect = "a/n=0.5 b/n=0.4"},
	    {.name = "a channel that is gone", .asked = "['z']", .expect = ""},
	    {.name = "scope",
	     .inventory = "{'scope':'offer'}",
	     .refused = "inventory: scope \"offer\" is not supported"},
	    {.name = "sub-categories",
	     .inventory = "{'subCategoryIds':['s','t']}",
	     .offers = CASE_OFFER("a", "1", "") "," CASE_OFFER(
		 "b", "2",
		 ",'subCategoryId':'t'") "," CASE_OFFER("c", "3",
							",'subCategoryId':'u'"),
	     .expect = "b/m=0.02"},
	    {.name = "a sub-category of a category",
	     .inventory = "{'scope':'category','categoryIds':['g'],"
			  "'subCategoryIds':['t']}",
	     .offers = CASE_OFFER("a", "1", ",'categoryId':'g'") "," CASE_OFFER(
		 "b", "2",
		 ",'categoryId':'g','subCategoryId':'t'") "," CASE_OFFER("c",
									 "3",
									 ",'"
									 "categ"
									 "oryId"
									 "':'h'"
									 ",'"
									 "subCa"
									 "tegor"
									 "yId':"
									 "'t'"),
	     .expect = "b/m=0.02"},
	    {.name = "more statuses",
	     .inventory = "{'includeStatuses':['active','paused']}",
	     .offers =
		 STATUS("a", "active") "," STATUS("b", "paused") "," STATUS(
		     "c", "draft") "," STATUS("d",
					      "deleted") "," STATUS("e",
								    "excluded"),
	     .expect = "a/m=0.5 b/m=0.5"},
	    {.name = "not the deleted",
	     .inventory = "{'includeStatuses':['active','deleted']}",
	     .refused = "includeStatuses may be draft, active, paused, arch"},
	    {.name = "not the excluded",
	     .inventory = "{'includeStatuses':['excluded']}",
	     .refused = "includeStatuses may be"},
	    {.name = "only another status",
	     .inventory = "{'includeStatuses':['draft']}",
	     .offers = STATUS("a", "active") "," STATUS("c", "draft"),
	     .expect = "c/m=0.5"},
	};

	DECIDE_CASES(cases);
}

#define SCORE(config) "{'id':'s','type':'score','config':{" config "}}," END
#define TWICE(node) node "," node "," END

static void
test_nodes(void **state KRN_UNUSED)
{
	static const struct decide_case cases[] = {
	    {.name = "the shortest flow", .nodes = END, .expect = BOTH},
	    {.name = "hooks may repeat, and be anywhere",
	     .nodes =
		 "{'type':'extension_point'},{'type':'qualify','config':"
		 "{'mode':'all'}},{'type':'contact_policy','config':"
		 "{'mode':'all'}},{'type':'extension_point'},{'type':"
		 "'score'},{'type':'rank'}," END ",{'type':'extension_point'}",
	     .expect = BOTH},
	    {.name = "gates in the other order",
	     .nodes = "{'type':'contact_policy'},{'type':'qualify'}," END,
	     .expect = BOTH},
	    {.name = "rank before score",
	     .nodes = "{'type':'rank'},{'type':'score'}," END,
	     .expect = BOTH},
	    {.name = "no response",
	     .nodes = "{'type':'score'},{'type':'rank'}",
	     .refused = "the flow has no response"},
	    {.name = "an inventory alone",
	     .nodes = "",
	     .refused = "the flow has no response"},
	    {.name = "two inventories",
	     .nodes = "{'type':'inventory'}," END,
	     .refused = "exactly one inventory, first"},
	    {.name = "two qualify",
	     .nodes = TWICE("{'id':'n','type':'qualify'}"),
	     .refused = "node \"n\": the flow has more than one qualify"},
	    {.name = "two contact_policy",
	     .nodes = TWICE("{'type':'contact_policy'}"),
	     .refused = "the flow has more than one contact_policy"},
	    {.name = "two scores that differ",
	     .nodes = "{'type':'score','config':{'method':'formula','formula':"
		      "{'impactWeight':1}}},{'id':'t','type':'score'}," END,
	     .refused = "node \"t\": the flow has more than one score"},
	    {.name = "two ranks with a hook between",
	     .nodes = "{'type':'rank'},{'type':'extension_point'},"
		      "{'type':'rank'}," END,
	     .refused = "the flow has more than one rank"},
	    {.name = "two responses",
	     .nodes = END "," END,
	     .refused = "the flow has more than one response"},
	    {.name = "qualify after rank",
	     .nodes = "{'type':'rank'},{'id':'n','type':'qualify'}," END,
	     .refused = "node \"n\": qualify comes too late"},
	    {.name = "score after response",
	     .nodes = END ",{'type':'score'}",
	     .refused = "score comes too late"},
	    {.name = "qualify any",
	     .nodes = "{'type':'qualify','config':{'mode':'any'}}," END,
	     .refused = "qualify: mode \"any\" is not supported"},
	    {.name = "contact_policy any",
	     .nodes = "{'type':'contact_policy','config':{'mode':'any'}}," END,
	     .refused = "contact_policy: mode \"any\" is not supported"},
	    {.name = "unknown type",
	     .nodes = "{'id':'n','type':'odd'}," END,
	     .refused = "node \"n\": unknown type \"odd\""},
	    {.name = "no type",
	     .nodes = "{}," END,
	     .refused = "unknown type \"\""},
	    {.name = "no node", .nodes = "1," END, .refused = "unknown type"},
	    {.name = "another method",
	     .nodes = SCORE("'method':'guess'"),
	     .refused = "score: method \"guess\" is not supported"},
	    {.name = "strategyOverrides",
	     .nodes = SCORE("'strategyOverrides':[{}]"),
	     .refused = "strategyOverrides need the method formula"},
	    {.name = "championChallenger, turned off",
	     .nodes = SCORE("'championChallenger':{'enabled':false}"),
	     .expect = BOTH},
	    {.name = "championChallenger, none",
	     .nodes = SCORE("'championChallenger':null"),
	     .expect = BOTH},
	};

	DECIDE_CASES(cases);
}

static void
test_documents(void **state KRN_UNUSED)
{
	static const char *const cases[][2] = {
	    {"{}", "the flow has no nodes"},
	    {"{\"flow\": {\"config\": {\"nodes\": []}}}",
	     "the flow has no nodes"},
	    {"{\"flow\": {\"config\": {\"nodes\": {}}}}",
	     "the flow has no nodes"},
	    {"{\"flow\": {\"config\": {\"nodes\": [{\"type\": \"qualify\"}, "
	     "{\"type\": \"response\"}]}}}",
	     "exactly one inventory, first"},
	};

	for (size_t i = 0; i < KRN_NR(cases); i++) {
		struct krn_arena *arena = krn_arena_new(0);
		struct krn_error err = {0};

		decide_case_compile(arena, krn_str_c(cases[i][0]),
				    KRN_ERR_INVALID, &err);
		assert_non_null(strstr(err.message, cases[i][1]));
		krn_arena_free(arena);
	}
}

#define RANK(config) "{'id':'k','type':'rank','config':{" config "}}," END
#define SEVEN                                                                       \
	CASE_OFFER("a", "70", "")                                                   \
	"," CASE_OFFER("b", "60", "") "," CASE_OFFER("c", "50", "") "," CASE_OFFER( \
	    "d", "40",                                                              \
	    "") "," CASE_OFFER("e", "30",                                           \
			       "") "," CASE_OFFER("f", "20",                        \
						  "") "," CASE_OFFER("g",           \
								     "10", "")
#define FIVE "a/m=0.7 b/m=0.6 c/m=0.5 d/m=0.4 e/m=0.3"
#define NAMED(id, name, priority)                                              \
	"{'id':'" id "','name':'" name                                         \
	"','status':'active','priority':" priority "}"
#define DOUBLED(scope)                                                         \
	CASE_IF("r", scope, "match",                                           \
		"'attribute':'none','operator':'not_exists','multiplier':2")

static void
test_rank(void **state KRN_UNUSED)
{
	static const struct decide_case cases[] = {
	    {.name = "five", .offers = SEVEN, .expect = FIVE},
	    {.name = "one",
	     .nodes = RANK("'maxCandidates':1"),
	     .offers = SEVEN,
	     .expect = "a/m=0.7"},
	    {.name = "more than there are",
	     .nodes = RANK("'maxCandidates':100,'method':'score'"),
	     .offers = SEVEN,
	     .expect = FIVE " f/m=0.2 g/m=0.1"},
	    {.name = "a reserve is kept",
	     .nodes = RANK("'maxCandidates':1"),
	     .offers = SEVEN,
	     .keep = 4,
	     .expect = "a/m=0.7 b/m=0.6 c/m=0.5 d/m=0.4"},
	    {.name = "none is kept", .offers = SEVEN, .keep = -1, .expect = ""},
	    {.name = "maxCandidates 0",
	     .nodes = RANK("'maxCandidates':0"),
	     .refused = "maxCandidates must be 1 to 100"},
	    {.name = "maxCandidates 101",
	     .nodes = RANK("'maxCandidates':101"),
	     .refused = "maxCandidates must be 1 to 100"},
	    {.name = "maxCandidates 1.5",
	     .nodes = RANK("'maxCandidates':1.5"),
	     .refused = "maxCandidates must be 1 to 100"},
	    {.name = "maxCandidates as a text",
	     .nodes = RANK("'maxCandidates':'5'"),
	     .refused = "maxCandidates must be 1 to 100"},
	    {.name = "a tie of scores: the priority",
	     .nodes = "{'type':'qualify'}," END,
	     .offers = CASE_OFFER("a", "25", "") "," CASE_OFFER("b", "50", ""),
	     .rules = DOUBLED(CASE_OF("offer", "a")),
	     .expect = "b/m=0.5 a/m=0.5"},
	    {.name = "then the name, by bytes, not the id",
	     .offers =
		 NAMED("a", "a", "50") "," NAMED("b", "Z", "50") "," NAMED(
		     "c", "Aa", "50") "," NAMED("d", "A", "50"),
	     .expect = "d/m=0.5 c/m=0.5 b/m=0.5 a/m=0.5"},
	    {.name = "then the channel's name; an offer appears once",
	     .channels = "{'id':'m','name':'z','status':'active',"
			 "'deliveryMode':'file'}," CASE_CHANNEL("n"),
	     .expect = "a/n=0.5 b/n=0.4"},
	    {.name = "each offer on its best channel",
	     .nodes = "{'type':'qualify'}," END,
	     .channels = CASE_CHANNEL("m") "," CASE_CHANNEL("n"),
	     .rules = CASE_IF("r", CASE_OF("channel", "m"), "eligibility",
			      "'attribute':'age','operator':'"
			      "exists'") "," DOUBLED(CASE_OF("offe"
							     "r",
							     "b")),
	     .expect = "b/n=0.8 a/n=0.5 -a/m:r -b/m:r"},
	    {.name = "by priority",
	     .nodes = "{'type':'qualify'}," RANK("'method':'priority'"),
	     .rules = DOUBLED(CASE_OF("offer", "b")),
	     .expect = "a/m=0.5 b/m=0.8"},
	    {.name = "by priority, then by score",
	     .nodes = "{'type':'qualify'}," RANK("'method':'priority'"),
	     .offers = CASE_OFFER("a", "50", "") "," CASE_OFFER("b", "50", ""),
	     .rules = DOUBLED(CASE_OF("offer", "b")),
	     .expect = "b/m=1 a/m=0.5"},
	    {.name = "deleted offers have no place",
	     .offers = "{'id':'0','name':'0','status':'deleted','"
		       "priority':99}," NAMED(
			   "a", "x", "50") ",{'id':'b','name':'x','status':"
					   "'deleted','priority':50}," NAMED(
					       "c", "w", "50"),
	     .expect = "c/m=0.5 a/m=0.5"},
	    {.name = "another method",
	     .nodes = RANK("'method':'luck'"),
	     .refused = "rank: method \"luck\" is not supported"},
	};

	DECIDE_CASES(cases);
}

/* Source: contract 7, volume limits. */
static void
test_keep(void **state KRN_UNUSED)
{
	static const struct {
		size_t max, reserve;
	} cases[] = {{1, 4}, {4, 16}, {5, 20}, {10, 20}, {20, 20}, {21, 21}};

	for (size_t i = 0; i < KRN_NR(cases); i++) {
		const struct krn_plan plan = {.max_candidates = cases[i].max};

		assert_int_equal(krn_plan_keep(&plan, false), cases[i].max);
		assert_int_equal(krn_plan_keep(&plan, true), cases[i].reserve);
	}
}

/* A message is stored with the run: it must stay UTF-8 however it is cut. */
static void
test_refusal_utf8(void **state KRN_UNUSED)
{
	for (int pad = 0; pad < 4; pad++) {
		struct krn_arena *arena = krn_arena_new(0);
		struct krn_error err = {0};
		struct krn_buf buf;
		struct krn_str text;

		krn_buf_init(&buf, arena);
		krn_buf_add_c(&buf, "{\"flow\": {\"config\": {\"nodes\": "
				    "[{\"type\": \"inventory\"}, "
				    "{\"type\": \"");
		for (int i = 0; i < pad; i++)
			krn_buf_add_c(&buf, "x");
		for (int i = 0; i < 250; i++)
			krn_buf_add_c(&buf, "\xf0\x9f\x99\x82");
		krn_buf_add_c(&buf, "\"}]}}}");
		assert_int_equal(krn_buf_end(&buf, &text, NULL), KRN_OK);
		decide_case_compile(arena, text, KRN_ERR_INVALID, &err);
		assert_true(krn_str_is_utf8(krn_str_c(err.message)));
		assert_true(strlen(err.message) > 390);
		krn_arena_free(arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_inventory),
	    cmocka_unit_test(test_nodes),
	    cmocka_unit_test(test_documents),
	    cmocka_unit_test(test_rank),
	    cmocka_unit_test(test_keep),
	    cmocka_unit_test(test_refusal_utf8),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
