/*
 * The flow's nodes: which there are, their order, what they configure.
 */

#include "base/base.h"

#include "catalog/kind.h"
#include "decide/plan_private.h"

typedef enum krn_err (*flow_node_fn)(struct plan_build *build,
				     const struct krn_value *node);

static const struct krn_value *
flow_list(const struct krn_value *config, const char *name)
{
	const struct krn_value *list = krn_value_find(config, name);

	return list && list->type == KRN_VALUE_ARRAY && list->array.nr ? list
								       : NULL;
}

static bool
flow_list_has(const struct krn_value *list, struct krn_str id)
{
	for (size_t i = 0; list && i < list->array.nr; i++)
		if (list->array.items[i].type == KRN_VALUE_STRING &&
		    krn_str_eq(list->array.items[i].string, id))
			return true;
	return false;
}

static enum krn_err
flow_inventory(struct plan_build *build, const struct krn_value *node)
{
	const struct krn_value *config = krn_value_find(node, "config");
	const struct krn_str scope = plan_text(config, "scope");
	const struct krn_value *categories = flow_list(config, "categoryIds");
	const struct krn_value *offers = flow_list(config, "offerIds");
	const struct krn_value *statuses = flow_list(config, "includeStatuses");

	if (scope.len && !krn_str_eq_c(scope, "all") &&
	    !krn_str_eq_c(scope, "category"))
		return plan_refuse(build,
				   "inventory: scope \"%.*s\" is not supported",
				   KRN_STR_ARG(scope));
	if (flow_list(config, "subCategoryIds"))
		return plan_refuse(
		    build, "inventory: subCategoryIds is not supported");
	if (statuses && (statuses->array.nr != 1 ||
			 !flow_list_has(statuses, KRN_STR("active"))))
		return plan_refuse(build, "inventory: includeStatuses may "
					  "only be [\"active\"]");
	const bool by_category = krn_str_eq_c(scope, "category");

	for (size_t i = 0; i < build->plan->offers_nr; i++) {
		struct krn_plan_offer *offer = &build->plan->offers[i];

		if ((by_category &&
		     !flow_list_has(categories, offer->category_id)) ||
		    (offers && !flow_list_has(offers, offer->id)))
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

/* Their sum must stay a number; a sensible one is at most 1. */
#define WEIGHT_MAX 1000000

/* The four weights under `names`; divided by their sum. */
static enum krn_err
flow_weights(struct plan_build *build, const struct krn_value *from,
	     const char *const names[4])
{
	double *weights = build->plan->weights, sum = 0;

	for (size_t i = 0; i < 4; i++) {
		const struct krn_value *weight = krn_value_find(from, names[i]);

		weights[i] = 0;
		if (weight && (!krn_value_number(weight, &weights[i]) ||
			       !(weights[i] >= 0 && weights[i] <= WEIGHT_MAX)))
			return plan_refuse(build,
					   "score: %s must be a number from 0 "
					   "to %d",
					   names[i], WEIGHT_MAX);
		sum += weights[i];
	}
	if (!(sum > 0))
		return plan_refuse(build,
				   "score: the weights of the formula are 0");
	for (size_t i = 0; i < 4; i++)
		weights[i] /= sum;
	return KRN_OK;
}

/* A share of the customers scored by another model: {enabled, …} */
static bool
flow_has_challenger(const struct krn_value *config)
{
	const struct krn_value *challenger =
	    krn_value_find(config, "championChallenger");
	const struct krn_value *enabled = krn_value_find(challenger, "enabled");

	return challenger && challenger->type != KRN_VALUE_NULL &&
	       !(enabled && enabled->type == KRN_VALUE_BOOL &&
		 !enabled->boolean);
}

static enum krn_err
flow_score(struct plan_build *build, const struct krn_value *node)
{
	static const char *const own[] = {"propensityWeight", "relevanceWeight",
					  "impactWeight", "emphasisWeight"};
	static const char *const profile[] = {"propensity", "relevance",
					      "impact", "emphasis"};
	const struct krn_value *config = krn_value_find(node, "config");
	const struct krn_str method = plan_text(config, "method");
	const struct krn_str id = plan_text(config, "strategyProfileId");
	const struct krn_value *profiles =
	    krn_value_find(build->config, "profiles");

	if (flow_list(config, "strategyOverrides"))
		return plan_refuse(build,
				   "score: strategyOverrides is not supported");
	if (flow_has_challenger(config))
		return plan_refuse(
		    build, "score: championChallenger is not supported");
	if (method.len == 0 || krn_str_eq_c(method, "priority_weighted"))
		return KRN_OK;
	if (!krn_str_eq_c(method, "formula"))
		return plan_refuse(build,
				   "score: method \"%.*s\" is not supported",
				   KRN_STR_ARG(method));
	build->plan->is_formula = true;
	if (!id.len)
		return flow_weights(build, krn_value_find(config, "formula"),
				    own);
	for (size_t i = 0; profiles && profiles->type == KRN_VALUE_ARRAY &&
			   i < profiles->array.nr;
	     i++)
		if (krn_str_eq(plan_text(&profiles->array.items[i], "id"), id))
			return flow_weights(
			    build,
			    krn_value_find(&profiles->array.items[i],
					   "weights"),
			    profile);
	return plan_refuse(build, "score: the ranking profile is not there");
}

static enum krn_err
flow_rank(struct plan_build *build, const struct krn_value *node)
{
	const struct krn_value *config = krn_value_find(node, "config");
	const struct krn_str method = plan_text(config, "method");
	const struct krn_value *max = krn_value_find(config, "maxCandidates");

	if (max) {
		if (max->type != KRN_VALUE_INT || max->integer < 1 ||
		    max->integer > KRN_PLAN_CANDIDATES_MAX)
			return plan_refuse(
			    build, "rank: maxCandidates must be 1 to %d",
			    KRN_PLAN_CANDIDATES_MAX);
		build->plan->max_candidates = (size_t)max->integer;
	}
	build->plan->by_priority = krn_str_eq_c(method, "priority");
	if (method.len && !build->plan->by_priority &&
	    !krn_str_eq_c(method, "score"))
		return plan_refuse(build,
				   "rank: method \"%.*s\" is not supported",
				   KRN_STR_ARG(method));
	return KRN_OK;
}

static enum krn_err
flow_response(struct plan_build *build KRN_UNUSED,
	      const struct krn_value *node KRN_UNUSED)
{
	return KRN_OK;
}

/* The nodes of this release; catalog/kind.h knows all, and their phases. */
static const struct {
	const char *type;
	flow_node_fn read;
	bool repeats; /* a flow may have several */
} flow_nodes[] = {
    {"inventory", flow_inventory, false},
    {"qualify", flow_gate, false},
    {"contact_policy", flow_gate, false},
    {"score", flow_score, false},
    {"rank", flow_rank, false},
    {"response", flow_response, false},
    {"extension_point", flow_response, true}, /* a hook; none is set */
};

/* What the nodes so far were. */
struct flow_walk {
	int phase;
	bool seen[KRN_NR(flow_nodes)];
};

static enum krn_err
flow_node(struct plan_build *build, const struct krn_value *node, size_t index,
	  struct flow_walk *walk)
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
	if (walk->seen[i] && !flow_nodes[i].repeats)
		return plan_refuse(build,
				   "node \"%.*s\": the flow has more than one "
				   "%.*s",
				   KRN_STR_ARG(id), KRN_STR_ARG(type));
	walk->seen[i] = true;
	return flow_nodes[i].read(build, node);
}

enum krn_err
plan_read_flow(struct plan_build *build)
{
	const struct krn_value *flow = krn_value_find(build->config, "flow");
	const struct krn_value *nodes =
	    krn_value_find(krn_value_find(flow, "config"), "nodes");
	struct flow_walk walk = {.phase = 1};
	enum krn_err e;

	build->plan->max_candidates = 5;
	if (!nodes || nodes->type != KRN_VALUE_ARRAY || nodes->array.nr == 0)
		return plan_refuse(build, "the flow has no nodes");
	for (size_t i = 0; i < nodes->array.nr; i++)
		if ((e = flow_node(build, &nodes->array.items[i], i, &walk)))
			return e;
	if (!plan_flow_has(build, "response"))
		return plan_refuse(build, "the flow has no response");
	return KRN_OK;
}

/* Is there a node of that type? Rules and policies apply at their gate. */
bool
plan_flow_has(const struct plan_build *build, const char *type)
{
	const struct krn_value *nodes = krn_value_find(
	    krn_value_find(krn_value_find(build->config, "flow"), "config"),
	    "nodes");

	for (size_t i = 0; i < nodes->array.nr; i++)
		if (krn_str_eq_c(plan_text(&nodes->array.items[i], "type"),
				 type))
			return true;
	return false;
}
