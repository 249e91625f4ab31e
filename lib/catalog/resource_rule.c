/*
 * Rules across the fields of a resource.
 */

#include "base/base.h"

#include "catalog/resource_private.h"

static void
resource_check_mandatory(struct resource_read *read)
{
	static const char *const needs[] = {
	    "mandatoryReason", "mandatoryExpiresAt", "mandatoryApprovedBy"};
	const struct krn_value *mandatory =
	    krn_resource_get(read->resource, "mandatory");

	if (mandatory->type != KRN_VALUE_BOOL || !mandatory->boolean)
		return;
	for (size_t i = 0; i < KRN_NR(needs); i++) {
		const struct krn_value *value =
		    krn_resource_get(read->resource, needs[i]);

		if (value->type != KRN_VALUE_STRING ||
		    krn_str_trim(value->string).len == 0)
			resource_problem(read, needs[i],
					 "is required for a mandatory offer");
	}
}

static void
resource_check_scope(struct resource_read *read)
{
	const struct krn_value *scope =
	    krn_resource_get(read->resource, "scope");
	const struct krn_value *ref =
	    krn_resource_get(read->resource, "scopeRef");

	if (scope->type != KRN_VALUE_STRING)
		return;
	const int kind = krn_scope_kind(scope->string);

	if (kind == KRN_REF_NOTHING && ref->type != KRN_VALUE_NULL)
		resource_problem(read, "scopeRef",
				 "must be null when the scope is global");
	else if (kind != KRN_REF_NOTHING && ref->type != KRN_VALUE_STRING)
		resource_problem(read, "scopeRef",
				 "is required when the scope is not global");
}

static void
resource_check_weights(struct resource_read *read)
{
	const struct krn_value *weights =
	    krn_resource_get(read->resource, "weights");

	for (size_t i = 0;
	     weights->type == KRN_VALUE_OBJECT && i < weights->object.nr; i++) {
		const struct krn_member *member = &weights->object.members[i];
		double weight;

		if (!krn_value_number(&member->value, &weight) ||
		    !(weight >= 0 && weight <= 1))
			resource_problem_at(
			    read, &member->value, "weights",
			    "%.100s must be a number from 0 to 1",
			    member->name.s);
	}
}

/* The nodes themselves are the engine's: krn_plan_check. */
static void
resource_check_nodes(struct resource_read *read)
{
	const struct krn_value *config =
	    krn_resource_get(read->resource, "draftConfig");
	const struct krn_value *nodes = krn_value_find(config, "nodes");
	const struct krn_value *version = krn_value_find(config, "version");

	if (config->type != KRN_VALUE_OBJECT)
		return;
	if (version &&
	    (version->type != KRN_VALUE_INT || version->integer != 2))
		resource_problem(read, "draftConfig.version", "must be 2");
	if (!nodes || nodes->type != KRN_VALUE_ARRAY)
		resource_problem(read, "draftConfig.nodes", "must be a list");
}

void
resource_check_rules(struct resource_read *read)
{
	switch (read->resource->kind) {
	case KRN_KIND_OFFER:
		resource_check_mandatory(read);
		break;
	case KRN_KIND_RULE:
	case KRN_KIND_POLICY:
		resource_check_scope(read);
		resource_check_config(read);
		break;
	case KRN_KIND_PROFILE:
		resource_check_weights(read);
		break;
	case KRN_KIND_FLOW:
		resource_check_nodes(read);
		break;
	case KRN_KIND_CATEGORY:
	case KRN_KIND_SUBCATEGORY:
	case KRN_KIND_CHANNEL:
	case KRN_KIND_CREATIVE:
	case KRN_KIND__MAX:
		break;
	}
}
