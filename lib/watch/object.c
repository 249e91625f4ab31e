/*
 * Objects.
 */

#include "base/base.h"

#include "watch/object.h"

#include "access/audit.h"
#include "base/id.h"
#include "base/json_in.h"

static enum krn_err
object_missing(const struct krn_object *object, struct krn_error *err)
{
	return krn_refuse(err, KRN_ERR_NOTFOUND, "no such %s",
			  object->kind->noun);
}

static enum krn_err
object_audit(struct krn_object *object, const char *verb, struct krn_str name,
	     struct krn_str before, struct krn_str after, struct krn_error *err)
{
	const struct krn_str action =
	    krn_str_printf(object->arena, "%s.%s", object->kind->entity, verb);
	const struct krn_audit row = {
	    .action = action.s,
	    .entity_type = object->kind->entity,
	    .entity_id = object->id,
	    .entity_name = name,
	    .before = before,
	    .after = after,
	};

	if (!action.s)
		return krn_arena_fail(object->arena, err);
	return krn_audit_append(object->arena, object->db, object->caller, &row,
				err);
}

/* Fill the form, check, store: the way of a new object and of a changed one. */
static enum krn_err
object_store(struct krn_object *object, const struct krn_form_values *values,
	     enum krn_stmt stmt, const struct krn_rows **ret,
	     struct krn_error *err)
{
	struct krn_param params[3] = {krn_param_str(object->id)};
	struct krn_str json;
	enum krn_err e;

	object->problems = krn_arena_make(object->arena, struct krn_problems);
	if (!object->problems)
		return krn_arena_fail(object->arena, err);
	object->problems->arena = object->arena;
	if ((e = krn_form_fill(object->arena, object->kind->fields,
			       object->kind->nr, values, object->stored,
			       object->problems, &object->value, err)))
		return e;
	object->given = values->given;
	if (object->kind->check && !object->problems->nr &&
	    (e = object->kind->check(object, &params[2], err)))
		return e;
	if ((e = krn_problems_end(object->problems, NULL, err)) ||
	    (e = krn_form_json(object->arena, &object->value, &json, err)))
		return e;
	params[1] = krn_param_str(json);
	return krn_db_exec(object->db, stmt, params, ret, err);
}

enum krn_err
krn_object_create(struct krn_object *object,
		  const struct krn_form_values *values,
		  struct krn_str *ret_document, struct krn_error *err)
{
	const struct krn_rows *rows;
	enum krn_err e;

	object->id = krn_id_new(object->arena, object->kind->prefix);
	if (!object->id.s)
		return krn_arena_fail(object->arena, err);
	if ((e = object_store(object, values, object->kind->insert, &rows,
			      err)))
		return e;
	*ret_document = krn_rows_str(rows, 0, 0);
	return object_audit(
	    object, "create", krn_form_text(&object->value, "name"),
	    krn_str_from(NULL, 0), krn_rows_str(rows, 0, 1), err);
}

/* Hold the object and read its fields. */
static enum krn_err
object_load(struct krn_object *object, struct krn_value *ret,
	    struct krn_str *ret_text, struct krn_error *err)
{
	const struct krn_param params[] = {krn_param_str(object->id)};
	const struct krn_rows *rows;
	enum krn_err e;

	if ((e = krn_db_exec(object->db, object->kind->load, params, &rows,
			     err)))
		return e;
	if (krn_rows_nr(rows) == 0)
		return object_missing(object, err);
	*ret_text = krn_rows_str(rows, 0, 0);
	return krn_json_parse_stored(object->arena, *ret_text, ret, err);
}

enum krn_err
krn_object_change(struct krn_object *object,
		  const struct krn_form_values *values,
		  struct krn_str *ret_document, struct krn_error *err)
{
	const struct krn_rows *rows;
	struct krn_value stored;
	struct krn_str before;
	enum krn_err e;

	if ((e = object_load(object, &stored, &before, err)))
		return e;
	object->stored = &stored;
	if ((e = object_store(object, values, object->kind->update, &rows,
			      err)))
		return e;
	*ret_document = krn_rows_str(rows, 0, 0);
	return object_audit(object, "update",
			    krn_form_text(&object->value, "name"), before,
			    krn_rows_str(rows, 0, 1), err);
}

enum krn_err
krn_object_delete(struct krn_object *object, struct krn_error *err)
{
	const struct krn_param params[] = {krn_param_str(object->id)};
	struct krn_value stored;
	struct krn_str before;
	enum krn_err e;

	if ((e = object_load(object, &stored, &before, err)) ||
	    (e = krn_db_exec(object->db, object->kind->remove, params, NULL,
			     err)))
		return e;
	return object_audit(object, "delete", krn_form_text(&stored, "name"),
			    before, krn_str_from(NULL, 0), err);
}

enum krn_err
krn_object_check_providers(struct krn_object *object, const char *field,
			   const struct krn_value *texts, struct krn_error *err)
{
	struct krn_str *ids =
	    krn_arena_calloc(object->arena, texts->array.nr + 1, sizeof(*ids));
	const struct krn_rows *rows;
	enum krn_err e;

	if (!ids)
		return krn_arena_fail(object->arena, err);
	for (size_t i = 0; i < texts->array.nr; i++)
		ids[i] = texts->array.items[i].string;
	const struct krn_param params[] = {
	    krn_param_str_array(object->arena, ids, texts->array.nr)};

	if (texts->array.nr == 0)
		return KRN_OK;
	if ((e = krn_db_exec(object->db, KRN_STMT_provider_unknown, params,
			     &rows, err)))
		return e;
	for (size_t i = 0; i < krn_rows_nr(rows); i++) {
		char name[64];

		snprintf(name, sizeof(name), "%s[%lld]", field,
			 (long long)krn_rows_int(rows, i, 0));
		krn_problem_add(object->problems, name,
				"no such notification provider");
	}
	return KRN_OK;
}
