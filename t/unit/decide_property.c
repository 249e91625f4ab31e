/* Nodes compute and set_properties, and custom fields of categories. */

#include "base/base.h"

#include "decide_case.h"

#include "base/buf.h"

#define END "{'id':'e','type':'response'}"
#define COMPUTE(formulas)                                                      \
	"{'id':'c','type':'compute','config':{'formulas':[" formulas "]}},"
#define FORMULA(name, formula) "{'name':'" name "','formula':'" formula "'}"
#define SET(properties)                                                        \
	"{'id':'p','type':'set_properties','config':{'properties':"            \
	"{" properties "}}},"
#define ONE_OFFER CASE_OFFER("a", "50", ",'categoryId':'g'")
#define FIELD(more) "{'type':'computed'," more "}"
#define CATEGORY(id, fields)                                                   \
	"{'id':'" id "','name':'" id "','customFields':[" fields "]}"

static void
test_formulas(void **state KRN_UNUSED)
{
	static const char *const explained[] = {
	    "'step':'rank'", "'score':0.5", "'personalization':{'x':2}", NULL};
	static const struct decide_case cases[] = {
	    {.name = "a formula, of each decision",
	     .nodes = COMPUTE(FORMULA("x", "offer.priority / 10")) END,
	     .expect = "a/m=0.5{\"x\":5} b/m=0.4{\"x\":4}"},
	    {.name = "no formula",
	     .nodes = "{'id':'c','type':'compute'},{'id':'p',"
		      "'type':'set_properties','config':{}}," END,
	     .expect = "a/m=0.5 b/m=0.4"},
	    {.name = "of the customer, by types",
	     .nodes = COMPUTE(FORMULA("age", "customer.age + 1") "," FORMULA(
		 "balance",
		 "cus"
		 "tom"
		 "er."
		 "bal"
		 "anc"
		 "e "
		 "* "
		 "2") "," FORMULA("city",
				  "customer.city") "," FORMULA("member",
							       "customer."
							       "member") "," FORMULA("since",
										     "customer.since"))
		 END,
	     .offers = ONE_OFFER,
	     .customer = "{'age':'30','balance':'1.5','city':'Rome',"
			 "'member':'t','since':'2026-01-02'}",
	     .expect = "a/m=0.5{\"age\":31,\"balance\":3,\"city\":\"Rome\","
		       "\"member\":1,\"since\":\"2026-01-02\"}"},
	    {.name = "what is missing is null, and null is left out",
	     .nodes = COMPUTE(FORMULA("a", "customer.age") "," FORMULA(
		 "b",
		 "customer.none") "," FORMULA("c",
					      "other") "," FORMULA("d",
								   "coalesce(a,"
								   " b, c, 1)"))
		 END,
	     .offers = ONE_OFFER,
	     .expect = "a/m=0.5{\"d\":1}"},
	    {.name = "values that are not of their type are counted",
	     .nodes = COMPUTE(FORMULA("a", "customer.age") "," FORMULA(
		 "b", "customer.city * 2")) END,
	     .offers = ONE_OFFER,
	     .customer = "{'age':'old','balance':'NaN','city':'Rome'}",
	     .expect = "a/m=0.5{} !2"},
	    {.name = "infinite and NaN are no numbers",
	     .nodes =
		 COMPUTE(FORMULA("a", "coalesce(customer.balance, 7)")) END,
	     .offers = ONE_OFFER,
	     .customer = "{'balance':'Infinity'}",
	     .expect = "a/m=0.5{\"a\":7} !1"},
	    {.name = "of the offer and the channel",
	     .nodes = COMPUTE(FORMULA(
		 "x", "concat(offer.name, channel.id, offer.metadata.a.b, "
		      "offer.mandatory, offer.tags)")) END,
	     .offers = CASE_OFFER("a", "50",
				  ",'metadata':{'a':{'b':0.5}},'tags':['t'],"
				  "'mandatory':false"),
	     .expect = "a/m=0.5{\"x\":\"am0.50\"}"},
	    {.name = "of names that are no words",
	     .nodes = COMPUTE(
		 FORMULA("x y", "customer.`propensityScores.a`") "," FORMULA(
		     "z", "`x y` * 2")) END,
	     .offers = ONE_OFFER,
	     .customer = "{'propensityScores.a':'0.25'}",
	     .expect = "a/m=0.5{\"x y\":0.25,\"z\":0.5}"},
	    {.name = "a later one sees the earlier, and replaces it",
	     .nodes = COMPUTE(FORMULA("x", "1") "," FORMULA(
		 "y", "x + 1") "," FORMULA("x", "x * 10 + y"))
		 COMPUTE(FORMULA("z", "x + y")) END,
	     .offers = ONE_OFFER,
	     .expect = "a/m=0.5{\"x\":12,\"y\":2,\"z\":14}"},
	    {.name = "what was set to null is not looked for elsewhere",
	     .nodes = COMPUTE(FORMULA("x", "null") "," FORMULA("y", "x")) END,
	     .offers = CASE_OFFER("a", "50", ",'metadata':{'x':1}"),
	     .expect = "a/m=0.5{}"},
	    {.name = "as a number, as a text",
	     .nodes = COMPUTE(
		 "{'name':'a','formula':'concat(1, 2)','outputType':'number'},"
		 "{'name':'b','formula':'1 / 4','outputType':'text'},"
		 "{'name':'c','formula':'offer.name','outputType':'number'},"
		 "{'name':'d','formula':'null','outputType':'text'}") END,
	     .offers = ONE_OFFER,
	     .expect = "a/m=0.5{\"a\":12,\"b\":\"0.25\"} !1"},
	    {.name = "only what is kept is computed",
	     .nodes = "{'id':'k','type':'rank','config':{'maxCandidates':1}}"
		      "," COMPUTE(FORMULA("x", "offer.name * 1")) END,
	     .expect = "a/m=0.5{} !1"},
	    {.name = "texts that are too long fail the customer",
	     .nodes = COMPUTE(FORMULA(
		 "a",
		 "concat(customer.city, customer.city, "
		 "customer.city, customer.city)") "," FORMULA("b",
							      "concat(a, a, a, "
							      "a, a, a, a, a, "
							      "a, a)") "," FORMULA("c",
										   "concat(b, b, b, b, b, b, b, b, b, b)") "," FORMULA("d",
																       "concat(c, c, c, c, c, c, c, c, c, c)"))
		 END,
	     .offers = ONE_OFFER,
	     .customer = "{'city':'Barcelona'}",
	     .expect = "E:the computed texts of offer \"a\" take more than "
		       "16384 bytes"},
	    {.name = "the nodes of a flow called narrow only",
	     .nodes = "{'id':'f','type':'call_flow','config':{"
		      "'decisionFlowId':'f2'}}," END,
	     .flows = "{'id':'f2','name':'f2','config':{'nodes':[{'type':"
		      "'inventory'}," COMPUTE(FORMULA("x", "1")) END "]}}",
	     .offers = ONE_OFFER,
	     .expect = "a/m=0.5"},
	    {.name = "an explanation shows them",
	     .nodes = COMPUTE(FORMULA("x", "1 + 1")) END,
	     .offers = ONE_OFFER,
	     .explained = explained,
	     .expect = "a/m=0.5{\"x\":2}"},
	};

	DECIDE_CASES(cases);
}

static void
test_set(void **state KRN_UNUSED)
{
	static const struct decide_case cases[] = {
	    {.name = "constants",
	     .nodes = SET("'t':'it','n':1.5,'b':true,'z':null") END,
	     .offers = ONE_OFFER,
	     .expect = "a/m=0.5{\"t\":\"it\",\"n\":1.5,\"b\":1}"},
	    {.name = "in the order of the flow",
	     .nodes = SET("'x':1") COMPUTE(FORMULA("y", "x + 1")) SET("'x':5")
		 COMPUTE(FORMULA("z", "x + 1")) END,
	     .offers = ONE_OFFER,
	     .expect = "a/m=0.5{\"x\":5,\"y\":2,\"z\":6}"},
	    {.name = "in groups too",
	     .nodes = "{'id':'c','type':'match_creatives'},{'id':'g','type':"
		      "'group','config':{'placements':[{'placementId':'top'}]}"
		      "}," SET("'x':1") END,
	     .creatives = "{'id':'k','name':'k','offerId':'b','channelId':'m',"
			  "'placementId':'top','weight':100}",
	     .expect = "b/m*k=0.4{\"x\":1} -a/m:c"},
	};

	DECIDE_CASES(cases);
}

static void
test_categories(void **state KRN_UNUSED)
{
	static const struct decide_case cases[] = {
	    {.name = "of the offer's category",
	     .nodes = COMPUTE("") END,
	     .more = "'categories':[" CATEGORY(
		 "g",
		 FIELD("'key':'rate','"
		       "formula':'base "
		       "* 2'") ",{'type'"
			       ":'"
			       "number',"
			       "'key':'"
			       "base','"
			       "defaultV"
			       "alue':"
			       "3}") "," CATEGORY("h",
						  FIELD("'name':'fee','formula'"
							":'1'")) "],",
	     .expect = "a/m=0.5{\"rate\":6} b/m=0.4{\"fee\":1}"},
	    {.name = "the offer's own value goes before, then the "
		     "sub-category's",
	     .nodes = COMPUTE("") END,
	     .more = "'categories':[" CATEGORY(
		 "g",
		 FIELD("'key':'rate','formula':'concat(x, y, "
		       "z)'") ",{'key':'x','defaultValue':'1'},{"
			      "'key':'y',"
			      "'defaultValue':'2'},{'key':'z','"
			      "defaultValue':'3'}") "],'"
						    "subCategori"
						    "es':"
						    "[" CATEGORY(
							"s", "{'key':'x','"
							     "defaultValue':'4'"
							     "},{'key':'y',"
							     "'defaultValue':'"
							     "5'}") "],",
	     .offers = CASE_OFFER("a", "50",
				  ",'categoryId':'g','subCategoryId':'s',"
				  "'metadata':{'x':7}"),
	     .expect = "a/m=0.5{\"rate\":\"753\"}"},
	    {.name = "category, sub-category, node",
	     .nodes = COMPUTE(FORMULA("x", "concat(x, 3)")) END,
	     .more = "'categories':[" CATEGORY(
		 "g", FIELD("'key':'x','formula':'1','outputType':'"
			    "text'")) "],'subCategories':"
				      "[" CATEGORY("s", FIELD("'key':'x','"
							      "formula':'"
							      "concat(x, "
							      "2)'")) "],",
	     .offers =
		 CASE_OFFER("a", "50", ",'categoryId':'g','subCategoryId':'s'"),
	     .expect = "a/m=0.5{\"x\":\"123\"}"},
	    {.name = "those of other categories do not count",
	     .nodes = COMPUTE("") END,
	     .more =
		 "'categories':[" CATEGORY("g", FIELD("'key':'rate','formula':'"
						      "1'")) "," CATEGORY(
		     "x", FIELD("'key':'fee','formula':'1 +'")) "],",
	     .offers = ONE_OFFER,
	     .expect = "a/m=0.5{\"rate\":1}"},
	    {.name = "without a compute they are nothing",
	     .nodes = SET("'x':1") END,
	     .more = "'categories':[" CATEGORY(
		 "g", FIELD("'key':'rate','formula':'1 +'")) "],",
	     .offers = ONE_OFFER,
	     .expect = "a/m=0.5{\"x\":1}"},
	    {.name = "a wrong formula of a category",
	     .nodes = COMPUTE("") END,
	     .more = "'categories':[" CATEGORY(
		 "g", FIELD("'key':'rate','formula':'1 +'")) "],",
	     .refused = "category \"g\": \"rate\": at character 4: a value "
			"must stand here, not the end"},
	};

	DECIDE_CASES(cases);
}

static void
test_refused(void **state KRN_UNUSED)
{
	static const struct decide_case cases[] = {
	    {.name = "no sense",
	     .nodes = COMPUTE(FORMULA("x", "1 ++ ")) END,
	     .refused = "node \"c\": \"x\": at character 4: a value must "
			"stand here, not \"+\""},
	    {.name = "no text",
	     .nodes = COMPUTE("{'name':'x','formula':1}") END,
	     .refused = "node \"c\": \"x\": the formula must be a text"},
	    {.name = "no name",
	     .nodes = COMPUTE("{'formula':'1'}") END,
	     .refused = "node \"c\": \"\": a name has 1 to 100 bytes"},
	    {.name = "no object",
	     .nodes = COMPUTE("1") END,
	     .refused = "node \"c\": \"\": the formula must be a text"},
	    {.name = "no list",
	     .nodes =
		 "{'id':'c','type':'compute','config':{'formulas':{}}}," END,
	     .refused = "node \"c\": formulas must be a list"},
	    {.name = "no such type",
	     .nodes =
		 COMPUTE("{'name':'x','formula':'1','outputType':'int'}") END,
	     .refused = "outputType must be number or text"},
	    {.name = "no such field",
	     .nodes = COMPUTE(FORMULA("x", "1 + offer.price")) END,
	     .refused = "at character 5: \"offer.price\" is no field of "
			"customer, offer or channel"},
	    {.name = "a run has no request",
	     .nodes = COMPUTE(FORMULA("x", "attributes.tier")) END,
	     .refused = "\"attributes.tier\" is no field of customer"},
	    {.name = "properties that are no object",
	     .nodes = "{'id':'p','type':'set_properties','config':{"
		      "'properties':[]}}," END,
	     .refused = "node \"p\": properties must be an object"},
	    {.name = "a nested property",
	     .nodes = SET("'x':{'y':1}") END,
	     .refused = "node \"p\": \"x\": a value must be a text, a number, "
			"a boolean or null"},
	    {.name = "a formula before the ranking",
	     .nodes =
		 COMPUTE(FORMULA("x", "1")) "{'id':'k','type':'rank'}," END,
	     .refused = "node \"k\": rank comes too late"},
	};

	DECIDE_CASES(cases);
}

/* As many as there may be, and one more. */
static void
test_many(void **state KRN_UNUSED)
{
	static const struct {
		const char *head, *each, *tail, *refused;
		int most;
	} cases[] = {
	    {"{'type':'compute','config':{'formulas':[{'name':'y','formula':"
	     "'1'}",
	     ",{'name':'x%d','formula':'1'}", "]}},",
	     "a flow has at most 100 properties", 99},
	    {"{'type':'compute','config':{'formulas':[{'name':'y','formula':"
	     "'1'}",
	     ",{'name':'y','formula':'n + m + y + %d'}", "]}},",
	     "a flow sets properties at most 1000 times", 999},
	    {"{'type':'compute','config':{'formulas':[{'name':'y','formula':"
	     "'1'}",
	     ",{'name':'y','formula':'n%d'}", "]}},",
	     "the flow's formulas have more than 500 names", 500},
	};

	for (size_t i = 0; i < KRN_NR(cases); i++)
		for (int more = 0; more <= 1; more++) {
			struct krn_arena *arena = krn_arena_new(0);
			struct decide_case test = {
			    .name = "many",
			    .offers = ONE_OFFER,
			    .refused = more ? cases[i].refused : NULL};
			struct krn_str nodes = {NULL, 0};
			struct krn_buf buf;

			krn_buf_init(&buf, arena);
			krn_buf_add_c(&buf, cases[i].head);
			for (int k = 0; k < cases[i].most + more; k++) {
				char text[60];
				const char *at = strstr(cases[i].each, "%d");

				snprintf(text, sizeof(text), "%.*s%d%s",
					 (int)(at - cases[i].each),
					 cases[i].each, k, at + 2);
				krn_buf_add_c(&buf, text);
			}
			krn_buf_add_c(&buf, cases[i].tail);
			krn_buf_add_c(&buf, END);
			assert_int_equal(krn_buf_end(&buf, &nodes, NULL),
					 KRN_OK);
			test.nodes = krn_str_cstr(arena, nodes);
			test.keep = -1;
			test.expect = "";
			decide_case_run(&test, 1);
			krn_arena_free(arena);
		}
}

static void
test_no_memory(void **state KRN_UNUSED)
{
	struct krn_arena *arena = krn_arena_new(0);

	decide_case_no_memory(
	    arena,
	    KRN_STR("{\"flow\":{\"config\":{\"nodes\":[{\"type\":\"inventory\"}"
		    ",{\"type\":\"compute\",\"config\":{\"formulas\":[{\"name\""
		    ":\"x\",\"formula\":\"customer.age + `y` + channel.id\"}]}}"
		    ",{\"type\":\"set_properties\",\"config\":{\"properties\":{"
		    "\"z\":1}}},{\"type\":\"response\"}]}},\"offers\":[{\"id\":"
		    "\"a\",\"name\":\"a\",\"status\":\"active\",\"categoryId\":"
		    "\"g\"}],\"categories\":[{\"id\":\"g\",\"customFields\":[{"
		    "\"type\":\"computed\",\"key\":\"k\",\"formula\":\"1\"}]}],"
		    "\"channels\":[{\"id\":\"m\",\"name\":\"m\",\"status\":"
		    "\"active\",\"deliveryMode\":\"file\"}]}"));
	krn_arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_formulas),   cmocka_unit_test(test_set),
	    cmocka_unit_test(test_categories), cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_many),       cmocka_unit_test(test_no_memory),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
