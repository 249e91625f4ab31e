/*
 * Comparing a bundle with the live configuration.
 */

#include "base/base.h"

#include "gitops/change.h"

#include "base/id.h"
#include "base/json_out.h"

struct change_find {
	struct krn_arena *arena;
	struct krn_db *db;
	const struct krn_change_options *options;
	struct krn_changes *changes;
	struct krn_problems *problems;
};

static const char *const change_ops[] = {"create", "update", "delete",
					 "unchanged"};

const char *
krn_change_op_name(enum krn_change_op op)
{
	KRN_BUG_IF((size_t)op >= KRN_NR(change_ops));
	return change_ops[op];
}

/* The change of a kind and name, or NULL. */
static const struct krn_change *
change_of(const struct krn_changes *changes, enum krn_kind_id kind,
	  struct krn_str name)
{
	size_t low = 0, high = changes->nr;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const struct krn_change *at = &changes->list[middle];
		const struct krn_resource *r = at->after ? at->after : at->before;
		const int order = r->kind != kind ? (r->kind < kind ? -1 : 1)
						  : krn_str_cmp(r->name, name);

		if (order == 0)
			return at;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

struct krn_str
krn_changes_id(const struct krn_changes *changes, enum krn_kind_id kind,
	       struct krn_str name)
{
	const struct krn_change *change = change_of(changes, kind, name);
	const struct krn_resource *live;

	if (change)
		return change->op == KRN_CHANGE_DELETE
			   ? (struct krn_str){NULL, 0}
			   : change->id;
	live = krn_live_find(changes->live, kind, name);
	return live ? live->id : (struct krn_str){NULL, 0};
}

/* References */

/* Note a reference of a resource that leads nowhere. */
static void
change_dangling(struct change_find *find, const struct krn_resource *from,
		const char *field, const char *kind, struct krn_str name)
{
	char place[300];

	if (from->place == SIZE_MAX)
		snprintf(place, sizeof(place), "%s \"%.150s\", %s",
			 krn_kinds[from->kind].name, from->name.s, field);
	else
		snprintf(place, sizeof(place), "resources[%zu].spec.%s",
			 from->place, field);
	krn_problem_add(find->problems, place,
			"there is no %s \"%.*s\" in the bundle or live", kind,
			(int)(name.len < 255 ? name.len : 255), name.s);
}

static void
change_check_link(struct change_find *find, const struct krn_resource *from,
		  const char *field, enum krn_kind_id kind,
		  const struct krn_value *name)
{
	if (name->type == KRN_VALUE_STRING &&
	    !krn_changes_id(find->changes, kind, name->string).s)
		change_dangling(find, from, field, krn_kinds[kind].name,
				name->string);
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
	else if (kind == -2 &&
		 !krn_live_segment(find->changes->live, ref->string).s)
		change_dangling(find, from, "scopeRef", "segment", ref->string);
}

/* Does everything that this resource names exist after the changes? */
static void
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

/* Comparison */

static enum krn_err
change_add(struct change_find *find, const struct krn_resource *before,
	   const struct krn_resource *after, struct krn_error *err)
{
	struct krn_changes *changes = find->changes;
	struct krn_change *change = &changes->list[changes->nr++];

	*change = (struct krn_change){KRN_CHANGE_UNCHANGED, before, after,
				      before ? before->id : KRN_STR(""), 0};
	if (!before) {
		change->op = KRN_CHANGE_CREATE;
		change->id = krn_id_new(find->arena,
					krn_kinds[after->kind].prefix);
		if (!change->id.s)
			return krn_arena_fail(find->arena, err);
	} else if (!after) {
		change->op = KRN_CHANGE_DELETE;
	} else {
		for (size_t i = 0; i < krn_kinds[after->kind].fields_nr; i++)
			if (!krn_value_eq(&before->values[i],
					  &after->values[i]))
				change->fields |= UINT64_C(1) << i;
		if (change->fields)
			change->op = KRN_CHANGE_UPDATE;
	}
	changes->count[change->op]++;
	return KRN_OK;
}

/* Both lists are in the same order: one pass. */
static enum krn_err
change_compare(struct change_find *find, struct krn_error *err)
{
	const struct krn_live *live = find->changes->live;
	const struct krn_bundle *bundle = find->changes->bundle;
	size_t l = 0, b = 0;
	enum krn_err e = KRN_OK;

	while (!e && (l < live->nr || b < bundle->nr)) {
		const struct krn_resource *x =
		    l < live->nr ? &live->resources[l] : NULL;
		const struct krn_resource *y =
		    b < bundle->nr ? &bundle->resources[b] : NULL;
		const int order = !x   ? 1
				  : !y ? -1
				  : x->kind != y->kind
				      ? (x->kind < y->kind ? -1 : 1)
				      : krn_str_cmp(x->name, y->name);

		if (order < 0 && find->options->prune &&
		    (find->options->kinds >> x->kind & 1))
			e = change_add(find, x, NULL, err);
		else if (order >= 0)
			e = change_add(find, order == 0 ? x : NULL, y, err);
		l += order <= 0;
		b += order >= 0;
	}
	return e;
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

static enum krn_err
change_check_budget(struct change_find *find, struct krn_error *err)
{
	const int64_t deletes = find->changes->count[KRN_CHANGE_DELETE];
	const int64_t budget = change_budget(find);

	if (deletes <= budget)
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
static enum krn_err
change_check_deletes(struct change_find *find, struct krn_error *err)
{
	const struct krn_changes *changes = find->changes;
	const struct krn_rows *used;
	enum krn_err e;

	if (changes->count[KRN_CHANGE_DELETE] == 0)
		return KRN_OK;
	for (size_t i = 0; i < changes->live->nr; i++) {
		const struct krn_resource *live = &changes->live->resources[i];

		if (!change_of(changes, live->kind, live->name))
			change_check_references(find, live);
	}
	if ((e = krn_db_exec(find->db, KRN_STMT_campaign_references, NULL,
			     &used, err)))
		return e;
	for (size_t i = 0; i < changes->nr; i++) {
		const struct krn_change *change = &changes->list[i];

		for (size_t k = 0; change->op == KRN_CHANGE_DELETE &&
				   k < krn_rows_nr(used);
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

/* At most one flow may be the default. */
static void
change_check_default(struct change_find *find)
{
	const struct krn_resource *first = NULL;
	const struct krn_changes *changes = find->changes;

	for (size_t i = 0; i < changes->live->nr + changes->bundle->nr; i++) {
		const bool is_live = i < changes->live->nr;
		const struct krn_resource *flow =
		    is_live ? &changes->live->resources[i]
			    : &changes->bundle->resources[i - changes->live->nr];

		if (flow->kind != KRN_KIND_FLOW ||
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

/* The hash: what was asked, what was read, what would be written. */
static enum krn_err
change_hash(struct change_find *find, struct krn_error *err)
{
	struct krn_changes *changes = find->changes;
	struct krn_sha256 *hash = krn_sha256_new(find->arena);
	unsigned char digest[KRN_SHA256_BYTES];
	struct krn_buf buf;

	if (!hash)
		return krn_arena_fail(find->arena, err);
	krn_buf_init(&buf, find->arena);
	krn_buf_printf(&buf, "%u %d\n", find->options->kinds,
		       find->options->prune);
	for (size_t i = 0; i < changes->nr; i++) {
		const struct krn_change *change = &changes->list[i];
		const struct krn_resource *r =
		    change->after ? change->after : change->before;

		krn_buf_printf(&buf, "%s %s %s %lld\n", change_ops[change->op],
			       krn_kinds[r->kind].name,
			       change->before ? change->before->id.s : "-",
			       (long long)(change->before
					       ? change->before->version
					       : 0));
		krn_buf_add_str(&buf, r->name);
		for (size_t k = 0;
		     change->after && k < krn_kinds[r->kind].fields_nr; k++)
			krn_json_canonical(&buf, &r->values[k]);
		if (buf.failed)
			return krn_arena_fail(find->arena, err);
		krn_sha256_add(hash, buf.data, buf.len);
		krn_buf_clear(&buf);
	}
	krn_sha256_end(hash, digest);
	krn_format_hex(digest, sizeof(digest), changes->hash);
	return KRN_OK;
}

enum krn_err
krn_changes_find(struct krn_arena *arena, struct krn_db *db,
		 const struct krn_bundle *bundle, const struct krn_live *live,
		 const struct krn_change_options *options,
		 struct krn_changes *ret, struct krn_error *err)
{
	struct change_find find = {
	    arena, db, options, ret, krn_arena_make(arena, struct krn_problems)};
	enum krn_err e;

	*ret = (struct krn_changes){.live = live, .bundle = bundle};
	ret->list = krn_arena_calloc(arena, live->nr + bundle->nr,
				     sizeof(*ret->list));
	if (!ret->list || !find.problems)
		return krn_arena_fail(arena, err);
	find.problems->arena = arena;
	if ((e = change_compare(&find, err)))
		return e;
	for (size_t i = 0; i < bundle->nr; i++)
		change_check_references(&find, &bundle->resources[i]);
	change_check_default(&find);
	if ((e = krn_problems_end(find.problems,
				  "Invalid bundle: it does not fit the live "
				  "configuration",
				  err)) ||
	    (e = change_check_budget(&find, err)) ||
	    (e = change_check_deletes(&find, err)))
		return e;
	return change_hash(&find, err);
}
