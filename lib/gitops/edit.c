/*
 * One object of the configuration, changed by id.
 */

#include "base/base.h"

#include "gitops/edit_private.h"

#include "access/audit.h"
#include "base/id.h"
#include "gitops/apply.h"
#include "gitops/export.h"

static const struct krn_change_options edit_options = {.kinds = KRN_KINDS_ALL};

/*
 * What may be named is read by its name only: of the others nothing is
 * changed. What goes is looked for in everything.
 */
static krn_kind_set
edit_names_only(enum krn_kind_id kind, bool is_delete)
{
	return is_delete ? 0 : KRN_KINDS_ALL & ~((krn_kind_set)1 << kind);
}

static enum krn_err
edit_not_found(const struct edit *edit, struct krn_error *err)
{
	return krn_refuse(err, KRN_ERR_NOTFOUND, "no such %s",
			  edit->kind->name);
}

/* Of a flow: what its row says now. */
static void
edit_take_state(struct edit *edit, const struct krn_rows *state)
{
	if (!state || krn_rows_nr(state) == 0)
		return;
	edit->row_version = krn_rows_int(state, 0, 0);
	edit->is_published = krn_rows_bool(state, 0, 1);
}

/* The lock, and the name that the object has. */
static enum krn_err
edit_begin(struct edit *edit, struct krn_str *ret_title, struct krn_error *err)
{
	struct krn_db *db = edit->find.db;
	const struct krn_param id[] = {krn_param_str(edit->what->id)};
	const struct krn_str table = krn_str_c(edit->kind->table);
	const struct krn_rows *named, *state = NULL;
	enum krn_err e;

	*ret_title = (struct krn_str){NULL, 0};
	if (!edit->what->is_dry && (e = krn_config_lock(db, err)))
		return e;
	if (!edit->what->id.s)
		return KRN_OK;
	krn_db_send_named(db, KRN_STMT_kind_name, &table, id, &named);
	if (edit->what->kind == KRN_KIND_FLOW)
		krn_db_send(db, KRN_STMT_flow_state, id, &state);
	if ((e = krn_db_flush(db, err)))
		return e;
	if (krn_rows_nr(named) == 0)
		return edit_not_found(edit, err);
	*ret_title = krn_rows_str(named, 0, 0);
	edit_take_state(edit, state);
	return KRN_OK;
}

/* The name that the object will have; "" when there is a problem with it. */
static void
edit_name(struct edit *edit, struct krn_str title)
{
	const struct krn_value *name =
	    krn_value_find(edit->what->fields, "name");

	edit->name = title.s ? title : KRN_STR("");
	if (!name && title.s)
		return;
	if (!name)
		krn_problem_add(edit->find.problems, "name", "is required");
	else if (name->type != KRN_VALUE_STRING ||
		 !krn_resource_name_is(name->string, edit->kind->name_max))
		krn_problem_add(edit->find.problems, "name",
				"must be a string of 1 to %zu characters "
				"without control characters and outer spaces",
				edit->kind->name_max);
	else
		edit->name = name->string;
	if (title.s && !krn_str_eq(title, edit->name))
		edit->old_title = title;
}

/* The live state, in which the object has its new name already. */
static enum krn_err
edit_read_live(struct edit *edit, struct krn_error *err)
{
	const struct krn_live_id renamed = {edit->what->id, edit->name};
	const struct krn_live_options options = {
	    .renamed = edit->old_title.s ? &renamed : NULL,
	    .names_only =
		edit_names_only(edit->what->kind, !edit->what->fields),
	};
	enum krn_err e;

	if ((e = krn_live_read(edit->find.arena, edit->find.db, &options,
			       &edit->live, err)))
		return e;
	for (size_t i = 0; i < edit->live.nr; i++) {
		const struct krn_resource *r = &edit->live.resources[i];

		if (r->kind != edit->what->kind)
			continue;
		if (edit->what->id.s && krn_str_eq(r->id, edit->what->id))
			edit->before = r;
		else if (edit->what->fields && krn_str_eq(r->title, edit->name))
			return krn_refuse(err, KRN_ERR_CONFLICT,
					  "there is another %s of that name",
					  edit->kind->name);
	}
	return edit->what->id.s && !edit->before ? edit_not_found(edit, err)
						 : KRN_OK;
}

/* Flows */

static const struct krn_resource *
edit_default_flow(const struct edit *edit)
{
	for (size_t i = 0; i < edit->live.nr; i++) {
		const struct krn_resource *r = &edit->live.resources[i];

		if (r->kind == KRN_KIND_FLOW && r != edit->before &&
		    krn_resource_get(r, "isDefault")->boolean)
			return r;
	}
	return NULL;
}

/* "rowVersion": the flow that the caller saw is the one that is there. */
static enum krn_err
edit_check_row_version(struct edit *edit, struct krn_error *err)
{
	const struct krn_value *given =
	    krn_value_find(edit->what->fields, "rowVersion");

	if (!given || given->type == KRN_VALUE_NULL)
		return KRN_OK;
	if (given->type != KRN_VALUE_INT)
		krn_problem_add(edit->find.problems, "rowVersion",
				"must be an integer, not a %s",
				krn_value_type_name(given->type));
	else if (edit->what->id.s && given->integer != edit->row_version)
		return krn_refuse(err, KRN_ERR_CONFLICT,
				  "the flow was changed meanwhile: its "
				  "rowVersion is %lld",
				  (long long)edit->row_version);
	return KRN_OK;
}

static void
edit_set_default(struct krn_resource *flow, bool is_default)
{
	const int field = krn_kind_field_find(&krn_kinds[KRN_KIND_FLOW],
					      KRN_STR("isDefault"));

	flow->values[field] = krn_value_bool(is_default);
}

/*
 * The first flow is the default. *ret_other: the flow that is it no more.
 */
static enum krn_err
edit_move_default(struct edit *edit, struct krn_resource **ret_other,
		  struct krn_error *err)
{
	const struct krn_resource *other = edit_default_flow(edit);
	const size_t fields_nr = edit->kind->fields_nr;
	struct krn_resource *copy;

	*ret_other = NULL;
	if (!edit->before && !other)
		edit_set_default(edit->after, true);
	if (!other || !krn_resource_get(edit->after, "isDefault")->boolean)
		return KRN_OK;
	copy = krn_arena_make(edit->find.arena, struct krn_resource);
	if (!copy)
		return krn_arena_fail(edit->find.arena, err);
	*copy = *other;
	copy->values = krn_arena_calloc(edit->find.arena, fields_nr,
					sizeof(*copy->values));
	if (!copy->values)
		return krn_arena_fail(edit->find.arena, err);
	memcpy(copy->values, other->values, fields_nr * sizeof(*copy->values));
	edit_set_default(copy, false);
	*ret_other = copy;
	return KRN_OK;
}

/* Comparison */

/* The objects that change, as a bundle in the order of diffs. */
static enum krn_err
edit_bundle(struct edit *edit, struct krn_bundle *ret, struct krn_error *err)
{
	struct krn_resource *other = NULL;
	enum krn_err e;

	ret->resources =
	    krn_arena_calloc(edit->find.arena, 2, sizeof(*ret->resources));
	if (!ret->resources)
		return krn_arena_fail(edit->find.arena, err);
	if (edit->what->kind == KRN_KIND_FLOW &&
	    (e = edit_move_default(edit, &other, err)))
		return e;
	const bool is_first =
	    !other || krn_str_cmp(edit->after->name, other->name) < 0;

	ret->resources[is_first ? 0 : 1] = *edit->after;
	if (other)
		ret->resources[is_first ? 1 : 0] = *other;
	ret->nr = other ? 2 : 1;
	edit->after = &ret->resources[is_first ? 0 : 1];
	return KRN_OK;
}

/* The new name is a change too. */
static void
edit_note_rename(struct edit *edit)
{
	for (size_t i = 0; edit->old_title.s && i < edit->changes.nr; i++) {
		struct krn_change *change = &edit->changes.list[i];

		if (change->after != edit->after)
			continue;
		edit->changes.count[change->op]--;
		edit->changes.count[KRN_CHANGE_UPDATE]++;
		change->op = KRN_CHANGE_UPDATE;
		change->old_title = edit->old_title;
	}
}

/* Do two objects have the same key? */
static enum krn_err
edit_check_keys(struct edit *edit, struct krn_error *err)
{
	enum krn_err e;

	if ((e = change_check_keys(&edit->find, err)))
		return e;
	if (edit->find.problems->nr == 0)
		return KRN_OK;
	krn_refuse(err, KRN_ERR_CONFLICT, "another %s has this key",
		   edit->kind->name);
	if (err)
		err->problems = edit->find.problems;
	return KRN_ERR_CONFLICT;
}

/* Create or update: the object as it will be, and the list of changes. */
static enum krn_err
edit_find_changes(struct edit *edit, struct krn_error *err)
{
	struct krn_arena *arena = edit->find.arena;
	struct krn_bundle *bundle = krn_arena_make(arena, struct krn_bundle);
	struct krn_value spec;
	enum krn_err e;

	edit->after = krn_arena_make(arena, struct krn_resource);
	if (!bundle || !edit->after)
		return krn_arena_fail(arena, err);
	if ((e = edit_check_row_version(edit, err)) ||
	    (e = edit_spec(edit, &spec, err)) ||
	    (e = krn_resource_read(arena, edit->what->kind, edit->name, &spec,
				   KRN_PLACE_BODY, edit->find.problems,
				   edit->after, err)) ||
	    (e = krn_problems_end(edit->find.problems, NULL, err)) ||
	    (e = edit_bundle(edit, bundle, err)))
		return e;
	edit->changes.bundle = bundle;
	if ((e = change_compare(&edit->find, err)))
		return e;
	edit_note_rename(edit);
	change_check_references(&edit->find, edit->after);
	if ((e = change_check_plans(&edit->find, err)) ||
	    (e = krn_problems_end(edit->find.problems, NULL, err)))
		return e;
	return edit_check_keys(edit, err);
}

static enum krn_err
edit_find_delete(struct edit *edit, struct krn_error *err)
{
	if (edit->is_published)
		return krn_refuse(err, KRN_ERR_CONFLICT,
				  "a published flow is protected");
	edit->changes.list[0] = (struct krn_change){
	    .op = KRN_CHANGE_DELETE,
	    .before = edit->before,
	    .id = edit->before->id,
	};
	edit->changes.nr = 1;
	edit->changes.count[KRN_CHANGE_DELETE] = 1;
	return change_check_deletes(&edit->find, err);
}

/* Writing */

/* "decision_flow.update", with what was and what is. */
static enum krn_err
edit_audit(struct edit *edit, const struct krn_change *change,
	   struct krn_str audit_id, struct krn_error *err)
{
	struct krn_arena *arena = edit->find.arena;
	const struct krn_resource *r =
	    change->after ? change->after : change->before;
	const struct krn_str action =
	    krn_str_printf(arena, "%s.%s", krn_kinds[r->kind].entity,
			   krn_change_op_name(change->op));
	struct krn_audit audit = {
	    .id = audit_id,
	    .action = action.s,
	    .entity_type = krn_kinds[r->kind].entity,
	    .entity_id = change->id,
	    .entity_name = r->name,
	};
	const struct {
		const struct krn_resource *from;
		struct krn_str *into;
	} sides[] = {
	    {change->before, &audit.before},
	    {change->after, &audit.after},
	};
	enum krn_err e;

	if (!action.s)
		return krn_arena_fail(arena, err);
	for (size_t i = 0; i < KRN_NR(sides); i++) {
		struct krn_json_out out;
		struct krn_buf buf;

		if (!sides[i].from)
			continue;
		krn_buf_init(&buf, arena);
		krn_json_init(&out, &buf);
		if ((e = krn_change_write_spec(arena, &out, NULL, change,
					       sides[i].from, err)))
			return e;
		krn_json_end(&out);
		if ((e = krn_buf_end(&buf, sides[i].into, err)))
			return e;
	}
	return krn_audit_append(arena, edit->find.db, edit->caller, &audit,
				err);
}

static enum krn_err
edit_write(struct edit *edit, struct krn_error *err)
{
	struct krn_db *db = edit->find.db;
	const struct krn_changes *changes = &edit->changes;
	struct krn_str audit_id = krn_id_new(edit->find.arena, "aud");
	enum krn_err e;

	if (!audit_id.s)
		return krn_arena_fail(edit->find.arena, err);
	const struct krn_param actor[] = {
	    krn_param_str(edit->caller->actor_name), krn_param_str(audit_id)};

	krn_db_send(db, KRN_STMT_actor_set, actor, NULL);
	krn_db_send(db, KRN_STMT_config_epoch_bump, NULL, NULL);
	if ((e = krn_changes_write(edit->find.arena, db, changes, err)))
		return e;
	for (size_t i = 0; i < changes->nr; i++) {
		if (changes->list[i].op == KRN_CHANGE_UNCHANGED)
			continue;
		if ((e = edit_audit(edit, &changes->list[i], audit_id, err)))
			return e;
		audit_id = (struct krn_str){NULL, 0};
	}
	return KRN_OK;
}

enum krn_err
krn_edit_make(struct krn_arena *arena, struct krn_db *db,
	      const struct krn_caller *caller, const struct krn_edit *what,
	      struct krn_edit_done *ret, struct krn_error *err)
{
	static const struct krn_bundle nothing;
	struct edit edit = {
	    .find = {.arena = arena, .db = db},
	    .caller = caller,
	    .what = what,
	    .kind = &krn_kinds[what->kind],
	};
	struct krn_str title;
	enum krn_err e;

	edit.find.problems = krn_arena_make(arena, struct krn_problems);
	if (!edit.find.problems)
		return krn_arena_fail(arena, err);
	edit.find.problems->arena = arena;
	if ((e = edit_begin(&edit, &title, err)))
		return e;
	edit_name(&edit, title);
	if ((e = edit_read_live(&edit, err)) ||
	    (e = change_begin(&edit.find, &nothing, &edit.live, &edit_options,
			      &edit.changes, err)) ||
	    (e = what->fields ? edit_find_changes(&edit, err)
			      : edit_find_delete(&edit, err)) ||
	    (!what->is_dry &&
	     (e = krn_changes_allowed(&edit.changes, caller->role, err))))
		return e;
	ret->name = edit.name;
	ret->id = what->id.s
		      ? what->id
		      : krn_changes_id(&edit.changes, what->kind, edit.name);
	if (what->is_dry || edit.changes.count[KRN_CHANGE_UNCHANGED] ==
				(int64_t)edit.changes.nr)
		return KRN_OK;
	return edit_write(&edit, err);
}

enum krn_err
krn_edit_check_live(struct krn_arena *arena, struct krn_db *db,
		    enum krn_kind_id kind, struct krn_str id,
		    struct krn_error *err)
{
	static const struct krn_bundle nothing;
	struct change_find find = {.arena = arena, .db = db};
	struct krn_changes changes;
	struct krn_resource read;
	struct krn_live live;
	struct krn_value spec;
	enum krn_err e;

	const struct krn_live_options options = {
	    .names_only = edit_names_only(kind, false)};

	if ((e = krn_live_read(arena, db, &options, &live, err)) ||
	    (e = change_begin(&find, &nothing, &live, &edit_options, &changes,
			      err)))
		return e;
	const struct krn_resource *found = krn_live_find_id(&live, kind, id);

	if (!found)
		return krn_refuse(err, KRN_ERR_NOTFOUND, "no such %s",
				  krn_kinds[kind].name);
	if ((e = krn_resource_spec(arena, found, &spec, err)) ||
	    (e = krn_resource_read(arena, kind, found->title, &spec,
				   KRN_PLACE_BODY, find.problems, &read, err)))
		return e;
	/* as if it had just become what it is */
	changes.list[0] = (struct krn_change){.op = KRN_CHANGE_UPDATE,
					      .before = found,
					      .after = &read,
					      .id = found->id};
	changes.nr = 1;
	change_check_references(&find, &read);
	if ((e = change_check_plans(&find, err)))
		return e;
	return krn_problems_end(find.problems, NULL, err);
}
