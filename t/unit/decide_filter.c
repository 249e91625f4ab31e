/* Filters and conditionals. */

#include "base/base.h"

#include "decide_case.h"

#include "base/buf.h"

#define END "{'id':'e','type':'response'}"
#define BOTH "a/m=0.5 b/m=0.4"
#define NONE "-a/m:f -b/m:f"
#define FILTER(more, conditions)                                               \
	"{'id':'f','type':'filter','config':{" more                            \
	"'conditions':[" conditions "]}}," END
#define IF(field, operator, value)                                             \
	"{'field':'" field "','operator':'" operator"','value':" value "}"
#define ONE(field, operator, value) FILTER("", IF(field, operator, value))
#define NULL_IS(field, operator)                                               \
	FILTER("", "{'field':'" field "','operator':'" operator"'}")

#define PAIR                                                                   \
	CASE_OFFER("a", "50",                                                  \
		   ",'categoryId':'g','categoryName':'G','productType':'tea'," \
		   "'tags':['new','hot'],'margin':1.5,'mandatory':true,"       \
		   "'metadata':{'x':{'y':7},'on':true,'s':'abc'}")             \
	"," CASE_OFFER("b", "40",                                              \
		       ",'categoryId':'h','categoryName':'H',"                 \
		       "'subCategoryId':'s','margin':null,'tags':[],"          \
		       "'metadata':{'x':{'y':'7'},'on':false,'n':{}}")
#define A "a/m=0.5 -b/m:f"
#define B "b/m=0.4 -a/m:f"

static void
run_with(const char *customer, const struct decide_case *cases, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		struct decide_case test = cases[i];

		test.offers = PAIR;
		test.customer = customer;
		decide_case_run(&test, 1);
	}
}

static void
test_offers(void **state KRN_UNUSED)
{
	/* clang-format off */
	static const struct { const char *nodes, *expect; } cases[] = {
	    {ONE("offer.priority", "eq", "50"), A},
	    {ONE("offer.priority", "eq", "'50'"), A},
	    {ONE("offer.priority", "neq", "50"), B},
	    {ONE("offer.priority", "gt", "45"), A},
	    {ONE("offer.priority", "gte", "40"), BOTH},
	    {ONE("offer.priority", "lt", "50"), B},
	    {ONE("offer.priority", "lte", "40.5"), B},
	    {ONE("offer.priority", "in", "[40,41]"), B},
	    {ONE("offer.priority", "not_in", "[40,41]"), A},
	    {ONE("offer.priority", "in", "[]"), NONE},
	    {ONE("offer.priority", "not_in", "[]"), BOTH},
	    {ONE("offer.priority", "contains", "'5'"), A},
	    {ONE("offer.priority", "eq", "'many'"), NONE},
	    {ONE("offer.name", "eq", "'a'"), A},
	    {ONE("offer.name", "gt", "'a'"), B},
	    {ONE("offer.id", "in", "['a','b']"), BOTH},
	    {ONE("offer.status", "eq", "'active'"), BOTH},
	    {ONE("offer.categoryId", "eq", "'h'"), B},
	    {ONE("offer.categoryName", "starts_with", "'G'"), A},
	    {ONE("offer.subCategoryId", "eq", "'s'"), B},
	    {ONE("offer.subCategoryId", "neq", "'t'"), B},
	    {ONE("offer.subCategoryId", "not_in", "['t']"), B},
	    {NULL_IS("offer.subCategoryId", "is_null"), A},
	    {NULL_IS("offer.subCategoryId", "is_not_null"), B},
	    {ONE("offer.productType", "regex", "'^t.a$'"), A},
	    {ONE("offer.mandatory", "eq", "true"), A},
	    {ONE("offer.margin", "lt", "2"), A},
	    {NULL_IS("offer.margin", "is_null"), B},
	    {ONE("offer.tags", "contains", "'hot'"), A},
	    {ONE("offer.tags", "contains", "'ho'"), NONE},
	    {ONE("offer.tags", "eq", "'hot'"), NONE},
	    {NULL_IS("offer.tags", "is_not_null"), BOTH},
	    {ONE("offer.metadata.x.y", "eq", "7"), A},
	    {ONE("offer.metadata.x.y", "eq", "'7'"), BOTH},
	    {ONE("offer.metadata.x.y", "in", "[7]"), A},
	    {ONE("offer.metadata.on", "eq", "false"), B},
	    {ONE("offer.metadata.s", "eq", "false"), NONE},
	    {ONE("offer.metadata.s", "starts_with", "'ab'"), A},
	    {ONE("offer.metadata.s.t", "eq", "'ab'"), NONE},
	    {NULL_IS("offer.metadata.n", "is_not_null"), B},
	    {ONE("offer.metadata.n", "eq", "'{}'"), NONE},
	    {NULL_IS("offer.metadata.none.at", "is_null"), BOTH},
	    {FILTER("", ""), BOTH},
	    {"{'type':'filter'}," END, BOTH},
	    {FILTER("", IF("offer.priority", "gt", "10") ","
		    IF("offer.name", "eq", "'b'")), B},
	    {FILTER("'combinator':'AND',", IF("offer.priority", "gt", "45") ","
		    IF("offer.name", "eq", "'b'")), NONE},
	    {FILTER("'combinator':'OR',", IF("offer.priority", "gt", "45") ","
		    IF("offer.name", "eq", "'b'")), BOTH},
	    {FILTER("'combinator':'OR',", IF("offer.priority", "gt", "95") ","
		    IF("channel.name", "eq", "'x'")), NONE},
	    {ONE("channel.id", "eq", "'m'"), BOTH},
	    {ONE("channel.deliveryMode", "in", "['file']"), BOTH},
	    {NULL_IS("channel.channelType", "is_not_null"), NONE},
	};
	/* clang-format on */

	for (size_t i = 0; i < KRN_NR(cases); i++) {
		const struct decide_case test = {.name = cases[i].nodes,
						 .nodes = cases[i].nodes,
						 .expect = cases[i].expect};

		run_with("{}", &test, 1);
	}
}

static void
test_customers(void **state KRN_UNUSED)
{
	/* clang-format off */
	static const struct { const char *nodes, *expect; } cases[] = {
	    {ONE("customer.age", "gte", "30"), BOTH},
	    {ONE("customer.age", "gt", "30"), NONE},
	    {ONE("customer.age", "lt", "30.5"), BOTH},
	    {ONE("customer.age", "in", "[29,30]"), BOTH},
	    {ONE("customer.age", "not_in", "[29,30]"), NONE},
	    {ONE("customer.age", "starts_with", "3"), BOTH},
	    {ONE("customer.age", "eq", "'old'"), NONE " !1"},
	    {ONE("customer.city", "eq", "'Bern'"), BOTH},
	    {ONE("customer.city", "contains", "'er'"), BOTH},
	    {ONE("customer.city", "contains", "''"), BOTH},
	    {ONE("customer.city", "starts_with", "'er'"), NONE},
	    {ONE("customer.city", "starts_with", "'Bern!'"), NONE},
	    {ONE("customer.city", "regex", "'^B(e|a)rn$'"), BOTH},
	    {ONE("customer.city", "regex", "'[[:digit:]]'"), NONE},
	    {ONE("customer.city", "regex", "''"), BOTH},
	    {ONE("customer.member", "eq", "true"), BOTH},
	    {ONE("customer.since", "lt", "'2026-03-31'"), BOTH},
	    {NULL_IS("customer.balance", "is_null"), BOTH},
	    {ONE("customer.balance", "neq", "1"), NONE},
	    {ONE("customer.balance", "not_in", "[1]"), NONE},
	    {ONE("customer.balance", "regex", "'.*'"), NONE},
	    {NULL_IS("customer.none", "is_null"), BOTH},
	    {NULL_IS("customer.city", "is_null"), NONE},
	    {ONE("customer.none", "eq", "1"), NONE},
	    {FILTER("", IF("customer.age", "gt", "18") ","
		    IF("offer.name", "eq", "'a'")), A},
	    {FILTER("'combinator':'OR',", IF("customer.age", "gt", "40") ","
		    IF("offer.name", "eq", "'a'")), A},
	    {FILTER("'combinator':'or',", IF("customer.age", "gt", "40") ","
		    IF("customer.city", "eq", "'Bern'")), BOTH},
	    {"{'id':'g','type':'filter','config':{'conditions':["
	     IF("offer.name", "eq", "'a'") "]}},"
	     ONE("customer.age", "gt", "30"), "-a/m:f -b/m:g"},
	    {"{'type':'qualify'}," ONE("offer.name", "eq", "'b'"),
	     "b/m=0.4 -a/m:f"},
	};
	/* clang-format on */

	for (size_t i = 0; i < KRN_NR(cases); i++) {
		const struct decide_case test = {.name = cases[i].nodes,
						 .nodes = cases[i].nodes,
						 .expect = cases[i].expect};

		run_with("{'age':'30','city':'Bern','member':'t',"
			 "'since':'2026-03-30'}",
			 &test, 1);
	}
}

static void
test_bad_values(void **state KRN_UNUSED)
{
	static const struct decide_case cases[] = {
	    {.name = "each condition counts once a customer",
	     .nodes = FILTER("'combinator':'OR',",
			     IF("customer.age", "gt", "1") "," IF(
				 "customer.age", "lt",
				 "1") "," IF("offer.name", "eq", "'a'")),
	     .expect = A " !2"},
	    {.name = "a text needs no number",
	     .nodes = ONE("customer.age", "contains", "'x'"),
	     .expect = BOTH},
	};

	run_with("{'age':'x'}", cases, KRN_NR(cases));
}

#define CHOICE(condition, branches)                                            \
	"{'id':'f','type':'conditional','config':{'conditions':[" condition    \
	"]," branches "}}," END
#define ADULT IF("customer.age", "gte", "18")
#define BRANCH(action, condition)                                              \
	"{'action':'" action "','conditions':[" condition "]}"
#define IS_A IF("offer.name", "eq", "'a'")

static void
test_conditional(void **state KRN_UNUSED)
{
	static const struct {
		const char *nodes, *adult, *child;
	} cases[] = {
	    {CHOICE(ADULT, "'then':{'action':'drop'}"), NONE, BOTH},
	    {CHOICE(ADULT, "'then':{'action':'keep'}"), BOTH, BOTH},
	    {CHOICE(ADULT, "'else':{'action':'drop'}"), BOTH, NONE},
	    {CHOICE(ADULT, "'then':null,'else':{'action':'drop'}"), BOTH, NONE},
	    {CHOICE(ADULT, "'then':" BRANCH("keep", IS_A)), A, BOTH},
	    {CHOICE(ADULT, "'then':" BRANCH("drop", IS_A)), B, BOTH},
	    {CHOICE(ADULT, "'then':" BRANCH("keep", IS_A) ",'else':" BRANCH(
			       "drop", IS_A)),
	     A, B},
	    {CHOICE(ADULT "," IF("customer.city", "eq", "'Bern'"),
		    "'combinator':'OR','then':" BRANCH("keep", IS_A)),
	     A, A},
	    {CHOICE(ADULT "," IF("customer.city", "eq", "'Bern'"),
		    "'then':" BRANCH("keep", IS_A)),
	     A, BOTH},
	    {CHOICE(ADULT, "'then':" BRANCH(
			       "keep", IF("customer.city", "eq", "'Zug'"))),
	     NONE, BOTH},
	    {CHOICE(IF("customer.none", "eq", "1"), "'then':{'action':'drop'}"),
	     BOTH, BOTH},
	};

	for (size_t i = 0; i < KRN_NR(cases); i++) {
		struct decide_case test = {.name = cases[i].nodes,
					   .nodes = cases[i].nodes,
					   .expect = cases[i].adult};

		run_with("{'age':'30','city':'Bern'}", &test, 1);
		test.expect = cases[i].child;
		run_with("{'age':'3','city':'Bern'}", &test, 1);
	}
}

static void
test_refusals(void **state KRN_UNUSED)
{
	static const struct {
		const char *nodes, *refused;
	} cases[] = {
	    {ONE("offer.age", "eq", "1"), "there is no field \"offer.age\""},
	    {ONE("channel.priority", "eq", "1"), "there is no field"},
	    {ONE("request.x", "eq", "1"),
	     "node \"f\": field \"request.x\" is not of offer, channel or"},
	    {ONE("age", "eq", "1"), "is not of offer, channel or customer"},
	    {FILTER("", "{}"), "unknown operator \"\""},
	    {ONE("offer.name", "exists", "1"), "unknown operator \"exists\""},
	    {FILTER("'combinator':'XOR',", ""), "combinator must be AND or OR"},
	    {"{'id':'f','type':'filter','config':{'conditions':{}}}," END,
	     "conditions must be a list"},
	    {NULL_IS("offer.name", "eq"), "value must be a scalar"},
	    {ONE("offer.name", "eq", "['a']"), "value must be a scalar"},
	    {ONE("offer.name", "in", "'a'"), "value must be a list"},
	    {ONE("offer.name", "eq", "null"), "must not be null or nested"},
	    {ONE("offer.name", "in", "[null]"), "must not be null or nested"},
	    {ONE("offer.name", "eq", "{}"), "must not be null or nested"},
	    {ONE("offer.name", "regex", "'('"), "\"(\" is not a regular"},
	    {ONE("customer.city", "regex", "'(a){300}{300}'"), "too large"},
	    {ONE("customer.city", "regex", "'a{99999}'"), "too large"},
	    {ONE("customer.city", "regex", "'((((((((((a+)+)+)+)+)+)+)+)+)+'"),
	     "too large"},
	    {ONE("customer.city", "regex", "'(a*)\\\\1'"), "back-references"},
	    {CHOICE("", "'then':{'action':'drop'}"), "needs conditions"},
	    {CHOICE(ADULT, "'x':1"), "needs conditions, and then or else"},
	    {CHOICE(ADULT, "'then':[]"), "need an action, keep or drop"},
	    {CHOICE(ADULT, "'then':{'action':'hide'}"), "need an action"},
	    {CHOICE(IS_A, "'then':{'action':'drop'}"),
	     "conditions of a conditional are over customer.*"},
	};

	for (size_t i = 0; i < KRN_NR(cases); i++) {
		const struct decide_case test = {.name = cases[i].nodes,
						 .nodes = cases[i].nodes,
						 .refused = cases[i].refused};

		decide_case_run(&test, 1);
	}
}

/* More than a word of bits, and more nodes than there is room for. */
static void
test_limits(void **state KRN_UNUSED)
{
	static const struct {
		int nodes, conditions;
		const char *refused;
	} cases[] = {
	    {1, 64, NULL},
	    {1, 65, "node \"f\": more than 64 conditions"},
	    {32, 1, NULL},
	    {33, 1, "more than 32 filters and conditionals"},
	};

	for (size_t i = 0; i < KRN_NR(cases); i++) {
		struct krn_arena *arena = krn_arena_new(0);
		struct krn_buf buf;
		struct krn_str nodes = {NULL, 0};

		krn_buf_init(&buf, arena);
		for (int n = 0; n < cases[i].nodes; n++) {
			krn_buf_add_c(&buf, "{'id':'f','type':'filter',"
					    "'config':{'conditions':[");
			for (int k = 0; k < cases[i].conditions; k++)
				krn_buf_printf(&buf, "%s%s", k ? "," : "",
					       k % 2 ? ADULT : IS_A);
			krn_buf_add_c(&buf, "]}},");
		}
		krn_buf_add_c(&buf, END);
		assert_int_equal(krn_buf_end(&buf, &nodes, NULL), KRN_OK);
		const struct decide_case test = {.name = "limits",
						 .nodes =
						     krn_str_cstr(arena, nodes),
						 .customer = "{'age':'18'}",
						 .expect = A,
						 .refused = cases[i].refused};

		decide_case_run(&test, 1);
		krn_arena_free(arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_offers),
	    cmocka_unit_test(test_customers),
	    cmocka_unit_test(test_bad_values),
	    cmocka_unit_test(test_conditional),
	    cmocka_unit_test(test_refusals),
	    cmocka_unit_test(test_limits),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
