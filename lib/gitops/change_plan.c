/*
 * Would a run take these flows, rules and policies? The engine's own reading
 * of them decides, with names in the place of ids: what they name is looked
 * up elsewhere.
 */

#include "base/base.h"

#include "decide/plan.h"
#include "gitops/change_private.h"

/* A resource that is looked at. */
struct change_plan {
	struct change_find *find;
	const struct krn_resource *from;
	const struct krn_value *config; /* as written, for the place */
	const char *field;
};

static void
change_plan_problem(void *data, size_t node, const char *message)
{
	const struct change_plan *plan = data;
	const struct krn_value *nodes = krn_value_find(plan->config, "nodes");
	const bool is_node = node != SIZE_MAX && nodes &&
			     nodes->type == KRN_VALUE_ARRAY &&
			     node < nodes->array.nr;
	char field[100];

	snprintf(field, sizeof(field), "%s", plan->field);
	if (is_node)
		snprintf(field, sizeof(field), "%s.nodes[%zu]", plan->field,
			 node);
	krn_resource_problem(plan->find->problems, plan->from,
			     is_node ? &nodes->array.items[node] : plan->config,
			     field, "%s", message);
}

/* The same value with the members of links as the database names them. */
static enum krn_err
change_plan_value(struct krn_arena *arena, const struct krn_value *value,
		  struct krn_value *ret, struct krn_error *err)
{
	enum krn_err e = KRN_OK;

	*ret = *value;
	if (value->type == KRN_VALUE_ARRAY && value->array.nr) {
		struct krn_value *items =
		    krn_arena_calloc(arena, value->array.nr, sizeof(*items));

		if (!items)
			return krn_arena_fail(arena, err);
		for (size_t i = 0; !e && i < value->array.nr; i++)
			e = change_plan_value(arena, &value->array.items[i],
					      &items[i], err);
		ret->array.items = items;
	} else if (value->type == KRN_VALUE_OBJECT && value->object.nr) {
		struct krn_member *members =
		    krn_arena_calloc(arena, value->object.nr, sizeof(*members));

		if (!members)
			return krn_arena_fail(arena, err);
		for (size_t i = 0; !e && i < value->object.nr; i++) {
			const struct krn_member *from =
			    &value->object.members[i];
			const struct krn_kind_link *link =
			    krn_kind_link_find(from->name, true);

			members[i].name =
			    link ? krn_str_c(link->id) : from->name;
			e = change_plan_value(arena, &from->value,
					      &members[i].value, err);
		}
		ret->object.members = members;
	}
	return e;
}

/* Kinds that a plan reads: their fields, and what a plan calls them. */
static const struct {
	enum krn_kind_id kind;
	enum krn_plan_part part;
	const char *config;    /* the field that is "config"; NULL: none */
	const char *fields[4]; /* others, up to NULL */
} change_plan_kinds[] = {
    {KRN_KIND_CATEGORY, KRN_PLAN_CATEGORY, NULL, {"customFields", NULL}},
    {KRN_KIND_SUBCATEGORY, KRN_PLAN_CATEGORY, NULL, {"customFields", NULL}},
    {KRN_KIND_OFFER,
     KRN_PLAN_OFFER,
     NULL,
     {"budget", "inventory", "frequencyCaps", NULL}},
    {KRN_KIND_RULE,
     KRN_PLAN_RULE,
     "config",
     {"scope", "scopeRef", "ruleType", "stage"}},
    {KRN_KIND_POLICY,
     KRN_PLAN_POLICY,
     "config",
     {"scope", "scopeRef", "ruleType", NULL}},
    {KRN_KIND_FLOW, KRN_PLAN_FLOW, "draftConfig", {NULL}},
};

static enum krn_err
change_plan_check(struct change_find *find, struct krn_arena *arena,
		  const struct krn_resource *from, size_t kind,
		  struct krn_error *err)
{
	struct krn_member members[7];
	struct krn_value row = {.type = KRN_VALUE_OBJECT,
				.object = {.members = members}};
	const char *config = change_plan_kinds[kind].config;
	const char *field = config ? config : change_plan_kinds[kind].fields[0];
	struct change_plan plan = {find, from, krn_resource_get(from, field),
				   field};
	size_t nr = 0;
	enum krn_err e;

	members[nr++] = (struct krn_member){
	    KRN_STR("id"), {.type = KRN_VALUE_STRING, .string = from->name}};
	members[nr++] = (struct krn_member){
	    KRN_STR("name"), {.type = KRN_VALUE_STRING, .string = from->name}};
	for (size_t i = 0; i < KRN_NR(change_plan_kinds[kind].fields) &&
			   change_plan_kinds[kind].fields[i];
	     i++) {
		const char *name = change_plan_kinds[kind].fields[i];

		members[nr++] = (struct krn_member){
		    strcmp(name, "scopeRef") == 0 ? KRN_STR("scopeId")
						  : krn_str_c(name),
		    *krn_resource_get(from, name)};
	}
	if (config) {
		members[nr].name = KRN_STR("config");
		if ((e = change_plan_value(arena, plan.config,
					   &members[nr++].value, err)))
			return e;
	}
	row.object.nr = nr;
	return krn_plan_check(arena, change_plan_kinds[kind].part, &row,
			      change_plan_problem, &plan, err);
}

enum krn_err
change_check_plans(struct change_find *find, struct krn_error *err)
{
	const struct krn_changes *changes = find->changes;
	struct krn_arena *arena = krn_arena_new(0);
	enum krn_err e = KRN_OK;

	if (!arena)
		return krn_fail(err, KRN_ERR_UNAVAILABLE, "out of memory");
	for (size_t i = 0; !e && i < changes->nr; i++) {
		const struct krn_change *change = &changes->list[i];

		if (change->op != KRN_CHANGE_CREATE &&
		    change->op != KRN_CHANGE_UPDATE)
			continue;
		for (size_t k = 0; !e && k < KRN_NR(change_plan_kinds); k++)
			if (change->after->kind == change_plan_kinds[k].kind) {
				e = change_plan_check(find, arena,
						      change->after, k, err);
				krn_arena_reset(arena);
			}
	}
	krn_arena_free(arena);
	return e;
}
