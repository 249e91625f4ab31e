/*
 * May these changes be made?
 */

#include "base/base.h"

#include "gitops/change_private.h"

/* References */

/* Note a reference of a resource that leads nowhere. */
static void
change_dangling(struct change_find *find, const struct krn_resource *from,
		const char *field, const char *kind,
		const struct krn_value *name)
{
	krn_resource_problem(find->problems, from, name, field,
			     "there is no %s \"%.300s\" in the bundle or live",
			     kind, name->string.s);
}

static void
change_check_link(struct change_find *find, const struct krn_resource *from,
		  const char *field, enum krn_kind_id kind,
		  const struct krn_value *name)
{
	if (name->type != KRN_VALUE_STRING ||
	    krn_changes_id(find->changes, kind, name->string).s)
		return;
	/* what is live and leads nowhere already is not these changes' doing */
	if (from->place != KRN_PLACE_LIVE ||
	    krn_live_find(find->changes->live, kind, name->string))
		change_dangling(find, from, field, krn_kinds[kind].name, name);
}

static void
change_check_object(struct change_find *find, const struct krn_resource *from,
		    const char *field, const struct krn_value *value)
{
	if (value->type == KRN_VALUE_ARRAY)
		for (size_t i = 0; i < value->array.nr; i++)
			change_check_object(find, from, field,
					    &value->array.items[i]);
	if (value->type != KRN_VALUE_OBJECT)
		return;
	for (size_t i = 0; i < value->object.nr; i++) {
		const struct krn_member *member = &value->object.members[i];
		const struct krn_kind_link *link =
		    krn_kind_link_find(member->name, true);
		const struct krn_value *to = &member->value;

		if (!link) {
			change_check_object(find, from, field, to);
			continue;
		}
		if (to->type != KRN_VALUE_ARRAY)
			change_check_link(find, from, field, link->kind, to);
		for (size_t k = 0;
		     to->type == KRN_VALUE_ARRAY && k < to->array.nr; k++)
			change_check_link(find, from, field, link->kind,
					  &to->array.items[k]);
	}
}

static void
change_check_scope(struct change_find *find, const struct krn_resource *from,
		   const struct krn_value *ref)
{
	const struct krn_value *scope = krn_resource_get(from, "scope");
	const int kind = krn_scope_kind(scope->string);

	if (ref->type != KRN_VALUE_STRING)
		return;
	if (kind >= 0)
		change_check_link(find, from, "scopeRef",
				  (enum krn_kind_id)kind, ref);
	else if (kind == KRN_REF_SEGMENT && from->place != KRN_PLACE_LIVE &&
		 !krn_live_segment(find->changes->live, ref->string).s)
		change_dangling(find, from, "scopeRef", "segment", ref);
}

/* Does everything that this resource names exist after the changes? */
void
change_check_references(struct change_find *find,
			const struct krn_resource *from)
{
	const struct krn_kind *kind = &krn_kinds[from->kind];

	for (size_t i = 0; i < kind->fields_nr; i++) {
		const struct krn_kind_field *field = &kind->fields[i];
		const struct krn_value *value = &from->values[i];

		if (field->type == KRN_TYPE_REFERENCE)
			change_check_link(find, from, field->name,
					  field->reference, value);
		else if (field->type == KRN_TYPE_SCOPE)
			change_check_scope(find, from, value);
		else if (field->type == KRN_TYPE_OBJECT ||
			 field->type == KRN_TYPE_ARRAY)
			change_check_object(find, from, field->name, value);
	}
}

/* Keys: unique among what is there after the changes. */

struct change_key {
	struct krn_str key;
	const struct krn_resource *owner;
};

static int
change_key_order(const void *a, const void *b)
{
	const struct change_key *x = a, *y = b;

	if (x->owner->kind != y->owner->kind)
		return x->owner->kind < y->owner->kind ? -1 : 1;
	return krn_str_cmp(x->key, y->key);
}

static void
change_key_add(struct change_key *keys, size_t *nr,
	       const struct krn_resource *resource)
{
	const int field =
	    krn_kind_field_find(&krn_kinds[resource->kind], KRN_STR("key"));

	if (field >= 0 && resource->values[field].type == KRN_VALUE_STRING)
		keys[(*nr)++] = (struct change_key){
		    resource->values[field].string, resource};
}

enum krn_err
change_check_keys(struct change_find *find, struct krn_error *err)
{
	const struct krn_changes *changes = find->changes;
	const struct krn_live *live = changes->live;
	struct change_key *keys = krn_arena_calloc(
	    find->arena, live->nr + changes->nr + 1, sizeof(*keys));
	size_t nr = 0;

	if (!keys)
		return krn_arena_fail(find->arena, err);
	for (size_t i = 0; i < live->nr; i++)
		if (!change_of(changes, live->resources[i].kind,
			       live->resources[i].name))
			change_key_add(keys, &nr, &live->resources[i]);
	for (size_t i = 0; i < changes->nr; i++)
		if (changes->list[i].after)
			change_key_add(keys, &nr, changes->list[i].after);
	qsort(keys, nr, sizeof(*keys), change_key_order);
	for (size_t i = 1; i < nr; i++)
		if (change_key_order(&keys[i - 1], &keys[i]) == 0)
			krn_problem_add(
			    find->problems, "key",
			    "the %s \"%.200s\" and \"%.200s\" cannot both "
			    "have the key \"%.100s\"",
			    krn_kinds[keys[i].owner->kind].name,
			    keys[i - 1].owner->name.s, keys[i].owner->name.s,
			    keys[i].key.s);
	return KRN_OK;
}

/* At most one flow may be the default. */
static void
change_check_default(struct change_find *find)
{
	const struct krn_resource *first = NULL;
	const struct krn_changes *changes = find->changes;

	for (size_t i = 0; i < changes->live->nr + changes->nr; i++) {
		const bool is_live = i < changes->live->nr;
		const struct krn_resource *flow =
		    is_live ? &changes->live->resources[i]
			    : changes->list[i - changes->live->nr].after;

		if (!flow || flow->kind != KRN_KIND_FLOW ||
		    !krn_resource_get(flow, "isDefault")->boolean ||
		    (is_live && change_of(changes, flow->kind, flow->name)))
			continue;
		if (first)
			krn_problem_add(find->problems, "isDefault",
					"\"%.200s\" and \"%.200s\" cannot both "
					"be the default flow",
					first->name.s, flow->name.s);
		first = flow;
	}
}

enum krn_err
change_check_bundle(struct change_find *find, struct krn_error *err)
{
	const struct krn_bundle *bundle = find->changes->bundle;
	enum krn_err e;

	if (find->options->any_bundle)
		return KRN_OK;
	for (size_t i = 0; i < bundle->nr; i++)
		if (!(find->options->frozen >> bundle->resources[i].kind & 1))
			change_check_references(find, &bundle->resources[i]);
	change_check_default(find);
	if ((e = change_check_plans(find, err)) ||
	    (e = change_check_keys(find, err)))
		return e;
	return krn_problems_end(find->problems,
				"Invalid bundle: it does not fit the live "
				"configuration",
				err);
}

/* Pruning */

/* Source: contract 4: the larger of 10 and 20 % of the live resources. */
static int64_t
change_budget(const struct change_find *find)
{
	int64_t live = 0;

	if (find->options->max_deletes >= 0)
		return find->options->max_deletes;
	for (size_t i = 0; i < find->changes->live->nr; i++)
		live += find->options->kinds >>
			    find->changes->live->resources[i].kind &
			1;
	return live / 5 > 10 ? live / 5 : 10;
}

static void
change_name_deletes(struct change_find *find)
{
	for (size_t i = 0; i < find->changes->nr; i++) {
		const struct krn_change *change = &find->changes->list[i];

		if (change->op == KRN_CHANGE_DELETE)
			krn_problem_add(find->problems,
					krn_kinds[change->before->kind].name,
					"\"%.300s\" would be deleted",
					change->before->name.s);
	}
}

enum krn_err
change_check_budget(struct change_find *find, struct krn_error *err)
{
	const int64_t deletes = find->changes->count[KRN_CHANGE_DELETE];
	const int64_t budget = change_budget(find);

	if (find->options->any_delete || deletes <= budget)
		return KRN_OK;
	change_name_deletes(find);
	krn_refuse(err, KRN_ERR_PRUNE_BUDGET,
		   "the plan would delete %lld resources, its budget is %lld",
		   (long long)deletes, (long long)budget);
	if (err)
		err->problems = find->problems;
	return KRN_ERR_PRUNE_BUDGET;
}

/* Does what stays refer to what goes? Resources, and campaigns. */
enum krn_err
change_check_deletes(struct change_find *find, struct krn_error *err)
{
	const struct krn_changes *changes = find->changes;
	const struct krn_rows *used;
	enum krn_err e;

	if (find->options->any_delete || changes->count[KRN_CHANGE_DELETE] == 0)
		return KRN_OK;
	for (size_t i = 0; i < changes->live->nr; i++) {
		const struct krn_resource *live = &changes->live->resources[i];

		/* what is frozen keeps its live references */
		if (!change_of(changes, live->kind, live->name) ||
		    find->options->frozen >> live->kind & 1)
			change_check_references(find, live);
	}
	if ((e = krn_db_exec(find->db, KRN_STMT_campaign_references, NULL,
			     &used, err)))
		return e;
	for (size_t i = 0; i < changes->nr; i++) {
		const struct krn_change *change = &changes->list[i];

		for (size_t k = 0;
		     change->op == KRN_CHANGE_DELETE && k < krn_rows_nr(used);
		     k++)
			if (krn_str_eq(krn_rows_str(used, k, 0), change->id))
				krn_problem_add(
				    find->problems,
				    krn_kinds[change->before->kind].name,
				    "\"%.200s\" is used by the campaign "
				    "\"%.200s\"",
				    change->before->name.s,
				    krn_rows_str(used, k, 1).s);
	}
	if (find->problems->nr == 0)
		return KRN_OK;
	krn_refuse(err, KRN_ERR_CONFLICT,
		   "something that stays refers to what would be deleted");
	if (err)
		err->problems = find->problems;
	return KRN_ERR_CONFLICT;
}
