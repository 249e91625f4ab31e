/*
 * Applying changes: one set-based statement a kind and operation.
 */

#include "base/base.h"

#include "gitops/apply.h"

#include "access/audit.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/json_out.h"
#include "gitops/export.h"

enum krn_err
krn_config_lock(struct krn_db *db, struct krn_error *err)
{
	return krn_db_exec(db, KRN_STMT_gitops_lock, NULL, NULL, err);
}

enum krn_err
krn_config_revision(struct krn_db *db, int64_t *ret, struct krn_error *err)
{
	const struct krn_rows *rows;
	enum krn_err e;

	if ((e = krn_db_exec(db, KRN_STMT_gitops_revision, NULL, &rows, err)))
		return e;
	*ret = krn_rows_int(rows, 0, 0);
	return KRN_OK;
}

static bool
apply_is_mandatory(const struct krn_resource *offer)
{
	return offer && offer->kind == KRN_KIND_OFFER &&
	       krn_resource_get(offer, "mandatory")->boolean;
}

enum krn_err
krn_changes_allowed(const struct krn_changes *changes, enum krn_role role,
		    struct krn_error *err)
{
	char names[400] = "";
	size_t len = 0;

	if (role < KRN_ROLE_EDITOR)
		return krn_refuse(err, KRN_ERR_FORBIDDEN,
				  "this change needs the role editor");
	for (size_t i = 0; role < KRN_ROLE_ADMIN && i < changes->nr; i++) {
		const struct krn_change *change = &changes->list[i];
		const struct krn_resource *r =
		    change->after ? change->after : change->before;
		const bool needs_admin = krn_kinds[r->kind].needs_admin ||
					 apply_is_mandatory(change->before) ||
					 apply_is_mandatory(change->after);

		if (change->op != KRN_CHANGE_UNCHANGED && needs_admin &&
		    len < sizeof(names) - 1)
			len += (size_t)snprintf(
			    names + len, sizeof(names) - len, "%s%s \"%.60s\"",
			    len ? ", " : "", krn_kinds[r->kind].name,
			    r->name.s);
	}
	if (len == 0)
		return KRN_OK;
	return krn_refuse(err, KRN_ERR_FORBIDDEN,
			  "these changes need the role admin: %s", names);
}

/* Rows as JSON, with ids in place of names. */

struct apply_out {
	const struct krn_changes *changes;
	struct krn_json_out out;
};

static void
apply_id(struct apply_out *to, const char *name, enum krn_kind_id kind,
	 const struct krn_value *value)
{
	if (value->type == KRN_VALUE_STRING)
		krn_json_str(&to->out, name,
			     krn_changes_id(to->changes, kind, value->string));
	else
		krn_json_value(&to->out, name, value);
}

static void
apply_object(struct apply_out *to, const char *name,
	     const struct krn_value *value)
{
	if (value->type == KRN_VALUE_ARRAY) {
		krn_json_arr_open(&to->out, name);
		for (size_t i = 0; i < value->array.nr; i++)
			apply_object(to, NULL, &value->array.items[i]);
		krn_json_close(&to->out);
		return;
	}
	if (value->type != KRN_VALUE_OBJECT) {
		krn_json_value(&to->out, name, value);
		return;
	}
	krn_json_obj_open(&to->out, name);
	for (size_t i = 0; i < value->object.nr; i++) {
		const struct krn_member *member = &value->object.members[i];
		const struct krn_kind_link *link =
		    krn_kind_link_find(member->name, true);

		if (!link) {
			apply_object(to, member->name.s, &member->value);
		} else if (member->value.type != KRN_VALUE_ARRAY) {
			apply_id(to, link->id, link->kind, &member->value);
		} else {
			krn_json_arr_open(&to->out, link->id);
			for (size_t k = 0; k < member->value.array.nr; k++)
				apply_id(to, NULL, link->kind,
					 &member->value.array.items[k]);
			krn_json_close(&to->out);
		}
	}
	krn_json_close(&to->out);
}

static void
apply_scope(struct apply_out *to, const char *column,
	    const struct krn_resource *from, const struct krn_value *ref)
{
	const int kind =
	    krn_scope_kind(krn_resource_get(from, "scope")->string);

	if (ref->type != KRN_VALUE_STRING)
		krn_json_null(&to->out, column);
	else if (kind == KRN_REF_PLACEMENT)
		krn_json_value(&to->out, column, ref);
	else if (kind == KRN_REF_SEGMENT)
		krn_json_str(&to->out, column,
			     krn_live_segment(to->changes->live, ref->string));
	else
		apply_id(to, column, (enum krn_kind_id)kind, ref);
}

/* {"id", "name", column: value, …} */
static void
apply_row(struct apply_out *to, const struct krn_change *change)
{
	const struct krn_resource *from = change->after;
	const struct krn_kind *kind = &krn_kinds[from->kind];

	krn_json_obj_open(&to->out, NULL);
	krn_json_str(&to->out, "id", change->id);
	krn_json_str(&to->out, "name", from->title);
	for (size_t i = 0; i < kind->fields_nr; i++) {
		const struct krn_kind_field *field = &kind->fields[i];
		const struct krn_value *value = &from->values[i];

		if (field->type == KRN_TYPE_REFERENCE)
			apply_id(to, field->column, field->reference, value);
		else if (field->type == KRN_TYPE_SCOPE)
			apply_scope(to, field->column, from, value);
		else
			apply_object(to, field->column, value);
	}
	krn_json_close(&to->out);
}

static bool
apply_is(const struct krn_change *change, int kind, enum krn_change_op op)
{
	const struct krn_resource *r =
	    change->after ? change->after : change->before;

	return (int)r->kind == kind && change->op == op;
}

/* "id", "name" and the kind's columns, for the statement's slots. */
static enum krn_err
apply_columns(struct krn_arena *arena, const struct krn_kind *kind,
	      struct krn_str *ret, struct krn_error *err)
{
	struct krn_buf list;

	krn_buf_init(&list, arena);
	krn_buf_add_c(&list, "id\x1fname");
	for (size_t i = 0; i < kind->fields_nr; i++) {
		krn_buf_add_char(&list, '\x1f');
		krn_buf_add_c(&list, kind->fields[i].column);
	}
	return krn_buf_end(&list, ret, err);
}

/* Creates or updates of one kind, queued. */
static enum krn_err
apply_writes(struct krn_arena *arena, struct krn_db *db,
	     const struct krn_changes *changes, int kind, enum krn_change_op op,
	     struct krn_error *err)
{
	struct apply_out to = {.changes = changes};
	struct krn_str names[2], rows;
	struct krn_buf buf;
	size_t nr = 0;
	enum krn_err e;

	krn_buf_init(&buf, arena);
	krn_json_init(&to.out, &buf);
	krn_json_arr_open(&to.out, NULL);
	for (size_t i = 0; i < changes->nr; i++) {
		if (!apply_is(&changes->list[i], kind, op))
			continue;
		apply_row(&to, &changes->list[i]);
		nr++;
	}
	krn_json_close(&to.out);
	krn_json_end(&to.out);
	if (nr == 0)
		return KRN_OK;
	names[0] = krn_str_c(krn_kinds[kind].table);
	if ((e = krn_buf_end(&buf, &rows, err)) ||
	    (e = apply_columns(arena, &krn_kinds[kind], &names[1], err)))
		return e;
	const struct krn_param params[] = {krn_param_str(rows)};

	krn_db_send_named(db,
			  op == KRN_CHANGE_CREATE ? KRN_STMT_kind_insert
						  : KRN_STMT_kind_update,
			  names, params, NULL);
	return KRN_OK;
}

/* The ids of one kind and operation as text[]; *ret_nr tells how many. */
static enum krn_err
apply_ids(struct krn_arena *arena, const struct krn_changes *changes,
	  bool (*wanted)(const struct krn_change *change, int kind), int kind,
	  struct krn_param *ret, size_t *ret_nr, struct krn_error *err)
{
	struct krn_str *ids =
	    krn_arena_calloc(arena, changes->nr, sizeof(*ids));
	size_t nr = 0;

	if (!ids)
		return krn_arena_fail(arena, err);
	for (size_t i = 0; i < changes->nr; i++)
		if (wanted(&changes->list[i], kind))
			ids[nr++] = changes->list[i].id;
	*ret = krn_param_str_array(arena, ids, nr);
	*ret_nr = nr;
	return ret->value ? KRN_OK : krn_arena_fail(arena, err);
}

static bool
apply_is_delete(const struct krn_change *change, int kind)
{
	return apply_is(change, kind, KRN_CHANGE_DELETE);
}

/* A flow whose active draft is new or changed is published. */
static bool
apply_is_publish(const struct krn_change *change, int kind KRN_UNUSED)
{
	const struct krn_resource *flow = change->after;

	if (!flow || flow->kind != KRN_KIND_FLOW ||
	    change->op == KRN_CHANGE_UNCHANGED ||
	    !krn_str_eq_c(krn_resource_get(flow, "status")->string, "active"))
		return false;
	return change->op == KRN_CHANGE_CREATE ||
	       !krn_str_eq_c(krn_resource_get(change->before, "status")->string,
			     "active") ||
	       !krn_value_eq(krn_resource_get(change->before, "draftConfig"),
			     krn_resource_get(flow, "draftConfig"));
}

enum krn_err
krn_changes_write(struct krn_arena *arena, struct krn_db *db,
		  const struct krn_changes *changes, struct krn_error *err)
{
	struct krn_param params[1];
	size_t nr;
	enum krn_err e;

	for (int kind = 0; kind < KRN_KIND__MAX; kind++)
		if ((e = apply_writes(arena, db, changes, kind,
				      KRN_CHANGE_CREATE, err)) ||
		    (e = apply_writes(arena, db, changes, kind,
				      KRN_CHANGE_UPDATE, err)))
			return e;
	/* what refers goes before what it refers to */
	for (int kind = KRN_KIND__MAX - 1; kind >= 0; kind--) {
		const struct krn_str table = krn_str_c(krn_kinds[kind].table);

		if ((e = apply_ids(arena, changes, apply_is_delete, kind,
				   &params[0], &nr, err)))
			return e;
		if (nr)
			krn_db_send_named(db, KRN_STMT_kind_delete, &table,
					  params, NULL);
	}
	return krn_db_flush(db, err);
}

static enum krn_err
apply_publish(struct krn_arena *arena, struct krn_db *db,
	      const struct krn_changes *changes,
	      const struct krn_caller *caller, struct krn_error *err)
{
	struct krn_param params[] = {krn_param_null(),
				     krn_param_str(caller->actor_name),
				     krn_param_c("")};
	size_t nr;
	enum krn_err e;

	if ((e = apply_ids(arena, changes, apply_is_publish, -1, &params[0],
			   &nr, err)))
		return e;
	return nr ? krn_db_exec(db, KRN_STMT_flow_publish, params, NULL, err)
		  : KRN_OK;
}

/* The counts of an apply; the audit row names its kinds as well. */
static enum krn_err
apply_summary(struct krn_arena *arena, const struct krn_changes *changes,
	      krn_kind_set kinds, struct krn_str *ret, struct krn_error *err)
{
	struct krn_json_out out;
	struct krn_buf buf;

	krn_buf_init(&buf, arena);
	krn_json_init(&out, &buf);
	krn_json_obj_open(&out, NULL);
	krn_change_write_counts(&out, changes);
	if (kinds) {
		krn_json_arr_open(&out, "kinds");
		for (int i = 0; i < KRN_KIND__MAX; i++)
			if (kinds >> i & 1)
				krn_json_c(&out, NULL, krn_kinds[i].name);
		krn_json_close(&out);
	}
	krn_json_close(&out);
	krn_json_end(&out);
	return krn_buf_end(&buf, ret, err);
}

/* The new revision holds the whole configuration as it is now. */
static enum krn_err
apply_revision(struct krn_arena *arena, struct krn_db *db,
	       const struct krn_changes *changes,
	       const struct krn_caller *caller, struct krn_str audit_id,
	       int64_t *ret_revision, struct krn_error *err)
{
	const struct krn_export_options options = {
	    .kinds = KRN_KINDS_ALL,
	    .tenant_id = caller->tenant_id,
	    .at_us = krn_clock_us(),
	    .json = true,
	};
	const struct krn_rows *rows;
	struct krn_live live;
	struct krn_buf buf;
	struct krn_str bundle, summary;
	enum krn_err e;

	krn_buf_init(&buf, arena);
	if ((e = krn_live_read(arena, db, NULL, &live, err)) ||
	    (e = krn_bundle_write(arena, &live, &options, &buf, err)) ||
	    (e = krn_buf_end(&buf, &bundle, err)) ||
	    (e = apply_summary(arena, changes, 0, &summary, err)))
		return e;
	const struct krn_param params[] = {
	    krn_param_str(caller->actor_name),
	    krn_param_str(summary),
	    krn_param_str(audit_id),
	    krn_param_str(bundle),
	};

	if ((e = krn_db_exec(db, KRN_STMT_gitops_revision_insert, params, &rows,
			     err)))
		return e;
	*ret_revision = krn_rows_int(rows, 0, 0);
	return KRN_OK;
}

/*
 * The rows, then the revision. Each stage needs much memory for a short time,
 * so that it has an arena of its own.
 */
static enum krn_err
apply_stages(struct krn_db *db, const struct krn_changes *changes,
	     const struct krn_caller *caller, struct krn_str audit_id,
	     int64_t *ret_revision, struct krn_error *err)
{
	struct krn_arena *stage = krn_arena_new(0);
	enum krn_err e;

	if (!stage)
		return krn_fail(err, KRN_ERR_UNAVAILABLE, "out of memory");
	if (!(e = krn_changes_write(stage, db, changes, err)) &&
	    !(e = apply_publish(stage, db, changes, caller, err))) {
		krn_arena_reset(stage);
		e = apply_revision(stage, db, changes, caller, audit_id,
				   ret_revision, err);
	}
	krn_arena_free(stage);
	return e;
}

enum krn_err
krn_changes_apply(struct krn_arena *arena, struct krn_db *db,
		  const struct krn_changes *changes, krn_kind_set kinds,
		  struct krn_str note, const struct krn_caller *caller,
		  int64_t *ret_revision, struct krn_error *err)
{
	struct krn_audit audit = {
	    .id = krn_id_new(arena, "aud"),
	    .action = "gitops_apply",
	    .entity_type = "bundle",
	    .entity_id = {NULL, 0},
	    .entity_name = note,
	};
	enum krn_err e;

	if (!audit.id.s)
		return krn_arena_fail(arena, err);
	const struct krn_param actor[] = {krn_param_str(caller->actor_name),
					  krn_param_str(audit.id)};

	krn_db_send(db, KRN_STMT_actor_set, actor, NULL);
	if (changes->count[KRN_CHANGE_UNCHANGED] != (int64_t)changes->nr)
		e = apply_stages(db, changes, caller, audit.id, ret_revision,
				 err);
	else
		e = krn_config_revision(db, ret_revision, err);
	if (e)
		return e;
	if ((e = apply_summary(arena, changes, kinds, &audit.changes, err)))
		return e;
	return krn_audit_append(arena, db, caller, &audit, err);
}
