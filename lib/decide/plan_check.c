/*
 * A flow, a rule or a policy alone: read as a run reads it, without what
 * only a run knows.
 */

#include "base/base.h"

#include "decide/plan_private.h"

/* One that others call needs no response; one that is begun, no nodes. */
static enum krn_err
check_flow(struct plan_build *build, const struct krn_value *row)
{
	struct krn_member flow = {KRN_STR("flow"), *row};
	const struct krn_value document = {
	    .type = KRN_VALUE_OBJECT, .object = {.members = &flow, .nr = 1}};

	if (!plan_list(krn_value_find(row, "config"), "nodes"))
		return KRN_OK;
	build->config = &document;
	return plan_read_flow(build);
}

static enum krn_err
check_rule(struct plan_build *build, const struct krn_value *row)
{
	struct krn_plan_rule rule = {.column = -1};

	build->plan->rules = &rule;
	build->plan->pair_rules = krn_arena_make(build->arena, uint32_t);
	return build->plan->pair_rules
		   ? plan_read_rule(build, row, &rule)
		   : krn_arena_fail(build->arena, build->err);
}

static enum krn_err
check_policy(struct plan_build *build, const struct krn_value *row)
{
	struct krn_plan_policy policy = {.within_campaign = -1};

	build->plan->policies = &policy;
	build->plan->pair_policies = krn_arena_make(build->arena, uint32_t);
	return build->plan->pair_policies
		   ? plan_read_policy(build, row, &policy)
		   : krn_arena_fail(build->arena, build->err);
}

static enum krn_err
check_offer(struct plan_build *build, const struct krn_value *row)
{
	struct krn_plan_offer offer = {
	    .id = plan_text(row, "id"),
	    .name = plan_text(row, "name"),
	    .row = row,
	};

	return plan_read_constraints(build, &offer);
}

static enum krn_err
check_category(struct plan_build *build, const struct krn_value *row)
{
	return plan_read_custom_fields(build, row, false);
}

enum krn_err
krn_plan_check(struct krn_arena *arena, enum krn_plan_part part,
	       const struct krn_value *row, krn_plan_problem_fn problem,
	       void *data, struct krn_error *err)
{
	static enum krn_err (*const checks[])(struct plan_build *,
					      const struct krn_value *) = {
	    [KRN_PLAN_FLOW] = check_flow,
	    [KRN_PLAN_RULE] = check_rule,
	    [KRN_PLAN_POLICY] = check_policy,
	    [KRN_PLAN_OFFER] = check_offer,
	    [KRN_PLAN_CATEGORY] = check_category,
	};
	static const struct krn_value nothing = {.type = KRN_VALUE_OBJECT};
	struct krn_error told = {.code = KRN_OK};
	struct plan_build build = {
	    .arena = arena,
	    .config = &nothing,
	    .plan = krn_arena_make(arena, struct krn_plan),
	    .err = &told,
	    .is_check = true,
	    .problem = problem,
	    .problem_data = data,
	};

	if (!build.plan)
		return krn_arena_fail(arena, err);
	const enum krn_err e = checks[part](&build, row);

	if (e != KRN_ERR_INVALID) {
		if (e && err)
			*err = told;
		return e;
	}
	problem(data, SIZE_MAX, told.message);
	return KRN_OK;
}
