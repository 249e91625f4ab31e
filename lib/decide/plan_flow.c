/*
 * The flow's nodes: which there are, their order, what they configure.
 */

#include "base/base.h"

#include "catalog/kind.h"
#include "decide/plan_private.h"

typedef enum krn_err (*flow_node_fn)(struct plan_build *build,
				     const struct krn_value *node);

const struct krn_value *
plan_list(const struct krn_value *config, const char *name)
{
	const struct krn_value *list = krn_value_find(config, name);

	return list && list->type == KRN_VALUE_ARRAY && list->array.nr ? list
								       : NULL;
}

bool
plan_list_has(const struct krn_value *list, struct krn_str text)
{
	for (size_t i = 0; list && i < list->array.nr; i++)
		if (list->array.items[i].type == KRN_VALUE_STRING &&
		    krn_str_eq(list->array.items[i].string, text))
			return true;
	return false;
}

/* includeStatuses: only those that an offer can have, active by default. */
static enum krn_err
flow_statuses(struct plan_build *build, const struct krn_value *statuses)
{
	static const char *const known[] = {"draft", "active", "paused",
					    "archived"};

	for (size_t i = 0; statuses && i < statuses->array.nr; i++) {
		const struct krn_value *status = &statuses->array.items[i];
		size_t k = 0;

		while (k < KRN_NR(known) &&
		       !(status->type == KRN_VALUE_STRING &&
			 krn_str_eq_c(status->string, known[k])))
			k++;
		if (k == KRN_NR(known))
			return plan_refuse(build,
					   "inventory: includeStatuses may be "
					   "draft, active, paused, archived");
	}
	return KRN_OK;
}

/* That of a flow called narrows what the inventories before it left. */
static enum krn_err
flow_inventory(struct plan_build *build, const struct krn_value *node)
{
	const struct krn_value *config = krn_value_find(node, "config");
	const struct krn_str scope = plan_text(config, "scope");
	const struct krn_value *categories = plan_list(config, "categoryIds");
	const struct krn_value *subs = plan_list(config, "subCategoryIds");
	const struct krn_value *offers = plan_list(config, "offerIds");
	const struct krn_value *statuses = plan_list(config, "includeStatuses");
	enum krn_err e;

	if (scope.len && !krn_str_eq_c(scope, "all") &&
	    !krn_str_eq_c(scope, "category"))
		return plan_refuse(build,
				   "inventory: scope \"%.*s\" is not supported",
				   KRN_STR_ARG(scope));
	if ((e = flow_statuses(build, statuses)))
		return e;
	const bool by_category = krn_str_eq_c(scope, "category");

	for (size_t i = 0; i < build->plan->offers_nr; i++) {
		struct krn_plan_offer *offer = &build->plan->offers[i];
		const struct krn_str status = plan_text(offer->row, "status");

		if (!(statuses ? plan_list_has(statuses, status)
			       : krn_str_eq_c(status, "active")) ||
		    (by_category &&
		     !plan_list_has(categories, offer->category_id)) ||
		    (subs &&
		     !plan_list_has(subs,
				    plan_text(offer->row, "subCategoryId"))) ||
		    (offers && !plan_list_has(offers, offer->id)))
			offer->is_candidate = false;
	}
	return KRN_OK;
}

/* qualify, contact_policy: {mode: "all"} */
static enum krn_err
flow_gate(struct plan_build *build, const struct krn_value *node)
{
	const struct krn_str mode =
	    plan_text(krn_value_find(node, "config"), "mode");

	if (mode.len && !krn_str_eq_c(mode, "all"))
		return plan_refuse(
		    build, "%.*s: mode \"%.*s\" is not supported",
		    KRN_STR_ARG(plan_text(node, "type")), KRN_STR_ARG(mode));
	return KRN_OK;
}

/* What changes nothing: see plan.h. */
static enum krn_err
flow_nothing(struct plan_build *build KRN_UNUSED,
	     const struct krn_value *node KRN_UNUSED)
{
	return KRN_OK;
}

/* The nodes of this release; catalog/kind.h knows all, and their phases. */
static const struct {
	const char *type;
	flow_node_fn read; /* NULL: call_flow */
	bool repeats;      /* a flow may have several */
} flow_nodes[] = {
    {"inventory", flow_inventory, false},
    {"filter", plan_read_filter, true},
    {"match_creatives", plan_read_creatives, false},
    {"enrich", plan_read_enrich, true},
    {"qualify", flow_gate, false},
    {"contact_policy", flow_gate, false},
    {"conditional", plan_read_conditional, true},
    {"score", plan_read_score, false},
    {"rank", plan_read_rank, false},
    {"optimize", plan_read_optimize, false},
    {"group", plan_read_group, false},
    {"compute", plan_read_compute, true},
    {"set_properties", plan_read_properties, true},
    {"response", flow_nothing, false},
    {"call_flow", NULL, true},
    {"extension_point", flow_nothing, true}, /* a hook; none is set */
};

/* A flow that calls another that calls a third. */
#define CALL_DEPTH_MAX 3

/* The nodes of one flow so far; `caller` is the flow that calls it. */
struct flow_walk {
	const struct flow_walk *caller;
	struct krn_str flow_id;
	int depth, phase;
	uint32_t seen; /* bits of flow_nodes */
};

static enum krn_err flow_call(struct plan_build *build,
			      const struct krn_value *node,
			      const struct flow_walk *caller);

/* The node's type, if it may stand at this place. */
static enum krn_err
flow_place(struct plan_build *build, const struct krn_value *node, size_t index,
	   struct flow_walk *walk, size_t *ret)
{
	const struct krn_str type = plan_text(node, "type");
	const struct krn_str id = plan_text(node, "id");
	const int its = krn_flow_phase(type);
	size_t i = 0;

	if (its < 0)
		return plan_refuse(build,
				   "node \"%.*s\": unknown type \"%.*s\"",
				   KRN_STR_ARG(id), KRN_STR_ARG(type));
	if ((index == 0) != krn_str_eq_c(type, "inventory"))
		return plan_refuse(build, "the flow must have exactly one "
					  "inventory, first");
	if (its && its < walk->phase)
		return plan_refuse(build, "node \"%.*s\": %.*s comes too late",
				   KRN_STR_ARG(id), KRN_STR_ARG(type));
	if (its)
		walk->phase = its;
	while (i < KRN_NR(flow_nodes) &&
	       !krn_str_eq_c(type, flow_nodes[i].type))
		i++;
	if (i == KRN_NR(flow_nodes))
		return plan_refuse(build,
				   "node \"%.*s\": type %.*s is not supported "
				   "yet",
				   KRN_STR_ARG(id), KRN_STR_ARG(type));
	/* which of two would count? */
	if ((walk->seen >> i & 1) && !flow_nodes[i].repeats)
		return plan_refuse(build,
				   "node \"%.*s\": the flow has more than one "
				   "%.*s",
				   KRN_STR_ARG(id), KRN_STR_ARG(type));
	walk->seen |= UINT32_C(1) << i;
	*ret = i;
	return KRN_OK;
}

static enum krn_err
flow_read_node(struct plan_build *build, const struct krn_value *node,
	       size_t index, struct flow_walk *walk)
{
	size_t type = 0;
	enum krn_err e;

	if ((e = flow_place(build, node, index, walk, &type)))
		return e;
	/* of a flow called, the narrowing nodes count */
	if (walk->caller && krn_flow_phase(plan_text(node, "type")) > 1)
		return KRN_OK;
	build->node_types |= UINT32_C(1) << type;
	return flow_nodes[type].read ? flow_nodes[type].read(build, node)
				     : flow_call(build, node, walk);
}

static enum krn_err
flow_read_nodes(struct plan_build *build, const struct krn_value *config,
		struct flow_walk *walk)
{
	const struct krn_value *nodes = plan_list(config, "nodes");
	enum krn_err e;

	if (!nodes)
		return plan_refuse(build, "the flow has no nodes");
	for (size_t i = 0; i < nodes->array.nr; i++) {
		e = flow_read_node(build, &nodes->array.items[i], i, walk);
		if (e == KRN_ERR_INVALID && build->problem)
			build->problem(build->problem_data, i,
				       build->err->message);
		else if (e)
			return e;
	}
	return KRN_OK;
}

static enum krn_err
flow_call(struct plan_build *build, const struct krn_value *node,
	  const struct flow_walk *caller)
{
	const struct krn_str id =
	    plan_text(krn_value_find(node, "config"), "decisionFlowId");
	const struct krn_str name = plan_text(node, "id");
	const struct krn_value *flows = plan_list(build->config, "flows");
	struct flow_walk walk = {caller, id, caller->depth + 1, 1, 0};

	for (const struct flow_walk *up = caller; up; up = up->caller)
		if (krn_str_eq(up->flow_id, id))
			return plan_refuse(build,
					   "node \"%.*s\": the flow calls "
					   "itself",
					   KRN_STR_ARG(name));
	if (walk.depth > CALL_DEPTH_MAX)
		return plan_refuse(build,
				   "node \"%.*s\": flows are called more than "
				   "%d deep",
				   KRN_STR_ARG(name), CALL_DEPTH_MAX);
	if (build->is_check && id.len)
		return KRN_OK;
	for (size_t i = 0; flows && i < flows->array.nr; i++)
		if (krn_str_eq(plan_text(&flows->array.items[i], "id"), id))
			return flow_read_nodes(
			    build,
			    krn_value_find(&flows->array.items[i], "config"),
			    &walk);
	return plan_refuse(build,
			   "node \"%.*s\": the flow that it calls is not there "
			   "or not published",
			   KRN_STR_ARG(name));
}

enum krn_err
plan_read_flow(struct plan_build *build)
{
	const struct krn_value *flow = krn_value_find(build->config, "flow");
	struct flow_walk walk = {NULL, plan_text(flow, "id"), 0, 1, 0};
	enum krn_err e;

	build->plan->max_candidates = 5;
	if ((e = flow_read_nodes(build, krn_value_find(flow, "config"), &walk)))
		return e;
	if (!build->is_check && !plan_flow_has(build, "response"))
		return plan_refuse(build, "the flow has no response");
	return KRN_OK;
}

/* Is there a node of that type? Rules and policies apply at their gate. */
bool
plan_flow_has(const struct plan_build *build, const char *type)
{
	for (size_t i = 0; i < KRN_NR(flow_nodes); i++)
		if (strcmp(flow_nodes[i].type, type) == 0)
			return build->node_types >> i & 1;
	return false;
}
