/* Conditions of qualification rules: every operator by type. */

#include "base/base.h"

#include "decide_case.h"

/* A condition on one column; of an eligibility rule of one offer. */
struct condition {
	const char *column, *operator;
	const char *value;  /* JSON with ' for " */
	const char *text;   /* of the customer; NULL is NULL */
	const char *result; /* "pass", "fail", "bad": fails and is counted */
};

static void
run_conditions(const struct condition *list, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		const struct condition *it = &list[i];
		const bool passes = strcmp(it->result, "pass") == 0;
		const bool is_bad = strcmp(it->result, "bad") == 0;
		char name[200], rule[400], customer[100] = "{}";

		snprintf(name, sizeof(name), "%s %s %s of %s", it->column,
			 it->operator, it->value, it->text ? it->text : "NULL");
		snprintf(rule, sizeof(rule),
			 CASE_IF("r", CASE_GLOBAL, "eligibility",
				 "'attribute':'%s','operator':'%s','value':%s"),
			 it->column, it->operator, it->value);
		if (it->text)
			snprintf(customer, sizeof(customer), "{'%s':'%s'}",
				 it->column, it->text);
		const struct decide_case test = {
		    .name = name,
		    .offers = CASE_OFFER("a", "50", ""),
		    .rules = rule,
		    .customer = customer,
		    .expect = passes   ? "a/m=0.5"
			      : is_bad ? "-a/m:r !1"
				       : "-a/m:r",
		};

		decide_case_run(&test, 1);
	}
}

#define CONDITIONS(list) run_conditions(list, KRN_NR(list))

static void
test_int(void **state KRN_UNUSED)
{
	static const struct condition list[] = {
	    {"age", "eq", "30", "30", "pass"},
	    {"age", "eq", "'30'", "30", "pass"},
	    {"age", "eq", "30.0", "30", "pass"},
	    {"age", "eq", "31", "30", "fail"},
	    {"age", "eq", "30.5", "30", "fail"},
	    {"age", "equals", "30", "30", "pass"},
	    {"age", "equals", "31", "30", "fail"},
	    {"age", "neq", "31", "30", "pass"},
	    {"age", "neq", "30", "30", "fail"},
	    {"age", "not_equals", "31", "30", "pass"},
	    {"age", "not_equals", "30", "30", "fail"},
	    {"age", "gt", "29", "30", "pass"},
	    {"age", "gt", "30", "30", "fail"},
	    {"age", "gt", "29.5", "30", "pass"},
	    {"age", "gte", "30", "30", "pass"},
	    {"age", "gte", "31", "30", "fail"},
	    {"age", "lt", "31", "30", "pass"},
	    {"age", "lt", "30", "30", "fail"},
	    {"age", "lt", "-1", "-2", "pass"},
	    {"age", "lte", "30", "30", "pass"},
	    {"age", "lte", "29", "30", "fail"},
	    {"age", "in", "[29,30]", "30", "pass"},
	    {"age", "in", "[28,29]", "30", "fail"},
	    {"age", "in", "[]", "30", "fail"},
	    {"age", "not_in", "[28,29]", "30", "pass"},
	    {"age", "not_in", "[29,30]", "30", "fail"},
	    {"age", "not_in", "[]", "30", "pass"},
	    {"age", "contains", "3", "30", "pass"},
	    {"age", "contains", "4", "30", "fail"},
	    {"age", "exists", "null", "30", "pass"},
	    {"age", "not_exists", "null", "30", "fail"},
	    /* whole numbers are compared as such, beyond 2^53 too */
	    {"age", "eq", "9007199254740993", "9007199254740992", "fail"},
	    {"age", "gt", "9223372036854775806", "9223372036854775807", "pass"},
	    /* what cannot be converted is false, whatever the operator */
	    {"age", "eq", "30", "x", "bad"},
	    {"age", "neq", "30", "x", "bad"},
	    {"age", "not_in", "[30]", "x", "bad"},
	    {"age", "lt", "0", "9223372036854775808", "bad"},
	    {"age", "contains", "'x'", "x", "pass"},
	    {"age", "exists", "null", "x", "pass"},
	    {"age", "eq", "'abc'", "30", "bad"},
	    {"age", "neq", "'abc'", "30", "bad"},
	    {"age", "in", "[30,'abc']", "30", "bad"},
	    {"age", "not_in", "[29,'abc']", "30", "bad"},
	    {"age", "eq", "null", "30", "bad"},
	    {"age", "eq", "{}", "30", "bad"},
	    {"age", "contains", "null", "30", "bad"},
	    {"age", "eq", "'nan'", "30", "bad"},
	};

	CONDITIONS(list);
}

static void
test_double(void **state KRN_UNUSED)
{
	static const struct condition list[] = {
	    {"balance", "eq", "1.5", "1.50", "pass"},
	    {"balance", "eq", "1", "1.5", "fail"},
	    {"balance", "neq", "1.5", "1.25", "pass"},
	    {"balance", "neq", "'1.5'", "1.5", "fail"},
	    {"balance", "gt", "1e3", "1000.0001", "pass"},
	    {"balance", "gt", "1000", "1000", "fail"},
	    {"balance", "gte", "0", "-0", "pass"},
	    {"balance", "gte", "0.1", "0.09", "fail"},
	    {"balance", "lt", "-1", "-1.5", "pass"},
	    {"balance", "lt", "-1.5", "-1", "fail"},
	    {"balance", "lte", "1e-3", "0.001", "pass"},
	    {"balance", "lte", "0", "5e-324", "fail"},
	    {"balance", "in", "[1,2.5]", "2.5", "pass"},
	    {"balance", "not_in", "[1,2.5]", "2.5", "fail"},
	    {"balance", "contains", "'.5'", "2.5", "pass"},
	    {"balance", "exists", "null", "0", "pass"},
	    {"balance", "not_exists", "null", "0", "fail"},
	    {"balance", "gt", "0", "Infinity", "bad"},
	    {"balance", "neq", "0", "NaN", "bad"},
	    {"balance", "lt", "'1e999'", "0", "bad"},
	    {"balance", "eq", "true", "1", "bad"},
	};

	CONDITIONS(list);
}

/* Bytes decide, not a locale. */
static void
test_text(void **state KRN_UNUSED)
{
	static const struct condition list[] = {
	    {"city", "eq", "'Bern'", "Bern", "pass"},
	    {"city", "eq", "'bern'", "Bern", "fail"},
	    {"city", "eq", "''", "", "pass"},
	    {"city", "eq", "5", "5", "pass"},
	    {"city", "eq", "2.5", "2.5", "pass"},
	    {"city", "eq", "true", "true", "pass"},
	    {"city", "neq", "'Bern'", "Basel", "pass"},
	    {"city", "neq", "'Bern'", "Bern", "fail"},
	    {"city", "gt", "'Basel'", "Bern", "pass"},
	    {"city", "gt", "'Zug'", "Ärgern", "pass"},
	    {"city", "gt", "'Bern'", "Bern", "fail"},
	    {"city", "gte", "'Bern'", "Bern", "pass"},
	    {"city", "gte", "'Bern'", "Ber", "fail"},
	    {"city", "lt", "'a'", "Zug", "pass"},
	    {"city", "lt", "'A'", "Zug", "fail"},
	    {"city", "lt", "'10'", "9", "fail"},
	    {"city", "lte", "'Bern'", "Bern", "pass"},
	    {"city", "lte", "'Bern'", "Berne", "fail"},
	    {"city", "in", "['Basel','Bern']", "Bern", "pass"},
	    {"city", "in", "['Basel','Bern']", "Be", "fail"},
	    {"city", "not_in", "['Basel']", "Bern", "pass"},
	    {"city", "not_in", "['Basel','']", "", "fail"},
	    {"city", "contains", "'er'", "Bern", "pass"},
	    {"city", "contains", "'ER'", "Bern", "fail"},
	    {"city", "contains", "''", "", "pass"},
	    {"city", "contains", "'x'", "", "fail"},
	    {"city", "contains", "'Bernese'", "Bern", "fail"},
	    {"city", "exists", "null", "", "pass"},
	    {"city", "not_exists", "null", "", "fail"},
	    {"city", "in", "['Bern',null]", "Bern", "bad"},
	};

	CONDITIONS(list);
}

static void
test_bool(void **state KRN_UNUSED)
{
	static const struct condition list[] = {
	    {"member", "eq", "true", "t", "pass"},
	    {"member", "eq", "true", "f", "fail"},
	    {"member", "eq", "'yes'", "t", "pass"},
	    {"member", "eq", "1", "t", "pass"},
	    {"member", "eq", "'off'", "f", "pass"},
	    {"member", "neq", "false", "t", "pass"},
	    {"member", "neq", "true", "t", "fail"},
	    {"member", "gt", "false", "t", "pass"},
	    {"member", "gte", "true", "f", "fail"},
	    {"member", "lt", "true", "f", "pass"},
	    {"member", "lte", "false", "t", "fail"},
	    {"member", "in", "[true,false]", "f", "pass"},
	    {"member", "not_in", "[true]", "t", "fail"},
	    {"member", "contains", "'t'", "t", "pass"},
	    {"member", "exists", "null", "f", "pass"},
	    {"member", "not_exists", "null", "f", "fail"},
	    {"member", "eq", "'maybe'", "t", "bad"},
	    {"member", "neq", "2", "t", "bad"},
	};

	CONDITIONS(list);
}

static void
test_time(void **state KRN_UNUSED)
{
	static const struct condition list[] = {
	    {"since", "eq", "'2026-03-30'", "2026-03-30", "pass"},
	    {"since", "eq", "'2026-03-30'", "2026-03-30 00:00:00+00", "pass"},
	    {"since", "neq", "'2026-03-30'", "2026-03-30", "fail"},
	    {"since", "gt", "'2026-03-30T10:00:00Z'",
	     "2026-03-30 10:00:00.000001+00", "pass"},
	    {"since", "gt", "'2026-03-30T10:00:00Z'", "2026-03-30 10:00:00+00",
	     "fail"},
	    {"since", "gte", "'2026-03-30T10:00:00Z'", "2026-03-30 10:00:00+00",
	     "pass"},
	    {"since", "lt", "'2026-03-30T10:00:00Z'", "2026-03-30 11:30:00+02",
	     "pass"},
	    {"since", "lt", "'2026-03-30T10:00:00+02:00'",
	     "2026-03-30 09:00:00+00", "fail"},
	    {"since", "lte", "'2026-03-30'", "2026-03-31", "fail"},
	    {"since", "in", "['2026-03-29','2026-03-30']", "2026-03-30",
	     "pass"},
	    {"since", "not_in", "['2026-03-30']", "2026-03-30", "fail"},
	    {"since", "contains", "'2026-03'", "2026-03-30", "pass"},
	    {"since", "exists", "null", "2026-03-30", "pass"},
	    {"since", "not_exists", "null", "2026-03-30", "fail"},
	    {"since", "eq", "'2026-02-30'", "2026-03-30", "bad"},
	    {"since", "gt", "5", "2026-03-30", "bad"},
	    {"since", "gt", "'2026-03-30'", "infinity", "bad"},
	    {"since", "lt", "'2026-03-30'", "0044-03-15 BC", "bad"},
	};

	CONDITIONS(list);
}

/* NULL, and a column that the view has not: the rule looks away. */
static void
test_missing(void **state KRN_UNUSED)
{
	static const char *const columns[] = {"age",    "balance", "city",
					      "member", "since",   "none"};
	static const char *const operators[] = {
	    "eq",  "neq",      "gt",     "gte",       "lt",
	    "lte", "contains", "equals", "not_equals"};

	for (size_t i = 0; i < KRN_NR(columns); i++) {
		const struct condition lists[] = {
		    {columns[i], "in", "[1]", NULL, "pass"},
		    {columns[i], "not_in", "[1]", NULL, "pass"},
		    {columns[i], "exists", "null", NULL, "fail"},
		    {columns[i], "not_exists", "null", NULL, "pass"},
		};

		CONDITIONS(lists);
		for (size_t k = 0; k < KRN_NR(operators); k++) {
			const struct condition one = {columns[i], operators[k],
						      "'?'", NULL, "pass"};

			run_conditions(&one, 1);
		}
	}
}

#define ODD(type, config)                                                      \
	CASE_RULE("r", CASE_GLOBAL, "eligibility", type, config)

static void
test_refusals(void **state KRN_UNUSED)
{
	static const struct decide_case cases[] = {
	    {.name = "operator",
	     .rules = ODD("attribute_condition",
			  "'attribute':'age','operator':'like','value':1"),
	     .refused = "rule \"r\": unknown operator \"like\""},
	    {.name = "in takes a list",
	     .rules = ODD("attribute_condition",
			  "'attribute':'age','operator':'in','value':1"),
	     .refused = "value must be a list"},
	    {.name = "eq takes a scalar",
	     .rules = ODD("attribute_condition",
			  "'attribute':'age','operator':'eq','value':[1]"),
	     .refused = "value must be a scalar"},
	    {.name = "no value",
	     .rules = ODD("attribute_condition",
			  "'attribute':'none','operator':'gt'"),
	     .refused = "value must be a scalar"},
	    {.name = "a type that there is not",
	     .rules = ODD("offer_attribute", ""),
	     .refused = "type offer_attribute is not supported yet"},
	};

	DECIDE_CASES(cases);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_int),      cmocka_unit_test(test_double),
	    cmocka_unit_test(test_text),     cmocka_unit_test(test_bool),
	    cmocka_unit_test(test_time),     cmocka_unit_test(test_missing),
	    cmocka_unit_test(test_refusals),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
