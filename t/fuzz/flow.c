/*
 * Documents of a run: what of them can be checked alone, and, when all of it
 * is a plan, decisions with it and their explanation.
 */

#include "t/fuzz/fuzz.h"

#include <math.h>

#include "base/json_in.h"
#include "decide/decide.h"

static const struct krn_attribute fuzz_attributes[] = {
    {.name = {"age", 3}, .type = KRN_ATTRIBUTE_INT},
    {.name = {"balance", 7}, .type = KRN_ATTRIBUTE_DOUBLE},
    {.name = {"city", 4}, .type = KRN_ATTRIBUTE_TEXT},
    {.name = {"member", 6}, .type = KRN_ATTRIBUTE_BOOL},
    {.name = {"since", 5}, .type = KRN_ATTRIBUTE_TIME},
    {.name = {"propensityScores.a", 18}, .type = KRN_ATTRIBUTE_DOUBLE},
};

/* What the columns of a customer hold, in turn. */
static const struct krn_str fuzz_texts[] = {
    {"30", 2},          {"-1.5", 4}, {NULL, 0}, {"t", 1},
    {"2026-03-30", 10}, {"NaN", 3},  {"", 0},
};

static const struct krn_plan_times fuzz_times = {
    INT64_C(1774864800000000), INT64_C(1774828800000000),
    INT64_C(1774742400000000), INT64_C(1772323200000000)};

static void
fuzz_problem(void *data, size_t node KRN_UNUSED, const char *message)
{
	*(size_t *)data += strlen(message);
}

/* The rows of a list alone, as an apply looks at them. */
static void
fuzz_check(struct krn_arena *arena, const struct krn_value *document,
	   const char *name, enum krn_plan_part part)
{
	const struct krn_value *list = krn_value_find(document, name);
	size_t told = 0;

	if (list && list->type == KRN_VALUE_OBJECT)
		(void)!krn_plan_check(arena, part, list, fuzz_problem, &told,
				      NULL);
	for (size_t i = 0; list && list->type == KRN_VALUE_ARRAY &&
			   i < list->array.nr && i < 20;
	     i++)
		(void)!krn_plan_check(arena, part, &list->array.items[i],
				      fuzz_problem, &told, NULL);
}

static void
fuzz_decide(struct krn_arena *arena, const struct krn_plan *plan)
{
	struct krn_str *columns =
	    krn_arena_calloc(arena, plan->columns_nr, sizeof(*columns));
	const size_t keep = krn_plan_keep(plan, true);
	struct krn_decide *decide = krn_decide_new(arena, plan, keep);
	struct krn_contact contact = {
	    .of = {0, 0, -1, -1}, .outcome = -1, .last_us = fuzz_times.day_us};
	struct krn_customer customer = {
	    .id = KRN_STR("k"),
	    .columns = columns,
	    .segments = 1,
	    .contacts = &contact,
	    .contacts_nr = plan->offers_nr && plan->channels_nr,
	};
	struct krn_decision decision;
	struct krn_str text;

	if (!columns || !decide)
		return;
	for (size_t i = 0; i < plan->windows_nr; i++)
		contact.counts[i] = 1;
	for (size_t turn = 0; turn < KRN_NR(fuzz_texts); turn++) {
		for (size_t i = 0; i < plan->columns_nr; i++)
			columns[i] =
			    fuzz_texts[(i + turn) % KRN_NR(fuzz_texts)];
		krn_decide_customer(decide, &customer, &decision);
		if (decision.candidates_nr > keep)
			__builtin_trap();
		for (size_t i = 0; i < decision.candidates_nr; i++)
			if (!isfinite(decision.candidates[i].score) ||
			    decision.candidates[i].offer >= plan->offers_nr)
				__builtin_trap();
	}
	(void)!krn_decide_explain_json(arena, plan, krn_plan_keep(plan, false), &customer, &text, NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct krn_arena *arena = krn_arena_new(FUZZ_ARENA_BYTES);
	const struct krn_plan *plan = NULL;
	struct krn_value document;
	struct krn_error err;

	if (!arena ||
	    krn_json_parse(arena, krn_str_from((const char *)data, size),
			   KRN_JSON_DEPTH_MAX, &document, &err)) {
		krn_arena_free(arena);
		return 0;
	}
	fuzz_check(arena, &document, "flow", KRN_PLAN_FLOW);
	fuzz_check(arena, &document, "rules", KRN_PLAN_RULE);
	fuzz_check(arena, &document, "policies", KRN_PLAN_POLICY);
	fuzz_check(arena, &document, "offers", KRN_PLAN_OFFER);
	fuzz_check(arena, &document, "categories", KRN_PLAN_CATEGORY);
	if (!krn_plan_compile(arena, &document, fuzz_attributes,
			      KRN_NR(fuzz_attributes), &fuzz_times, &plan,
			      &err))
		fuzz_decide(arena, plan);
	krn_arena_free(arena);
	return 0;
}
