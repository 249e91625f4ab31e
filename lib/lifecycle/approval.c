/*
 * Approvals: asked for and decided.
 */

#include "base/base.h"

#include "lifecycle/approval.h"

#include "access/audit.h"
#include "base/id.h"
#include "base/json_in.h"
#include "base/json_out.h"
#include "gitops/edit.h"

/* Source: ten stages are more than any organisation was seen to have. */
#define APPROVAL_STAGES_MAX 10

/* What may be asked for, by the names that the API has for the kinds. */
static const struct {
	const char *name;
	enum krn_kind_id kind;
} approval_entities[] = {
    {"arbitrationProfile", KRN_KIND_PROFILE},
    {"channel", KRN_KIND_CHANNEL},
    {"contactPolicy", KRN_KIND_POLICY},
    {"creative", KRN_KIND_CREATIVE},
    {"decisionFlow", KRN_KIND_FLOW},
    {"offer", KRN_KIND_OFFER},
    {"qualificationRule", KRN_KIND_RULE},
    {"rankingProfile", KRN_KIND_PROFILE},
};

static const char *const approval_actions[] = {"create", "update", "delete"};

/* -1: unknown. */
static int
approval_kind(struct krn_str name)
{
	for (size_t i = 0; i < KRN_NR(approval_entities); i++)
		if (krn_str_eq_c(name, approval_entities[i].name))
			return (int)approval_entities[i].kind;
	return -1;
}

/* Asking */

struct approval_ask {
	struct krn_problems *problems;
	const struct krn_approval_fields *fields;
	struct krn_str entity_type, entity_id, entity_name, action;
	struct krn_json_out stages;
};

static bool
approval_is_absent(const struct krn_value *value)
{
	return !value || value->type == KRN_VALUE_NULL;
}

/* A text of 1 to 255 characters; .s NULL when absent or wrong. */
static struct krn_str
approval_text(struct approval_ask *ask, const char *name,
	      const struct krn_value *value, bool required)
{
	const struct krn_str none = {NULL, 0};

	if (approval_is_absent(value)) {
		if (required)
			krn_problem_add(ask->problems, name, "is required");
		return none;
	}
	if (value->type != KRN_VALUE_STRING || value->string.len == 0 ||
	    krn_str_code_points(value->string) > 255) {
		krn_problem_add(ask->problems, name,
				"must be a string of 1 to 255 characters");
		return none;
	}
	return value->string;
}

static void
approval_read_stage(struct approval_ask *ask, const struct krn_value *stage,
		    size_t index)
{
	const struct krn_value *name = krn_value_find(stage, "stageName");
	const struct krn_value *role = krn_value_find(stage, "requiredRole");
	enum krn_role parsed = KRN_ROLE__UNSET;
	char field[64];

	snprintf(field, sizeof(field), "stages[%zu]", index);
	if (stage->type != KRN_VALUE_OBJECT || stage->object.nr != 2 || !name ||
	    !role) {
		krn_problem_add(ask->problems, field,
				"must be an object of stageName and "
				"requiredRole");
		return;
	}
	snprintf(field, sizeof(field), "stages[%zu].stageName", index);
	const struct krn_str text = approval_text(ask, field, name, true);

	snprintf(field, sizeof(field), "stages[%zu].requiredRole", index);
	if (role->type != KRN_VALUE_STRING ||
	    !krn_role_parse(role->string, &parsed))
		krn_problem_add(ask->problems, field,
				"must be one of viewer, editor, admin");
	krn_json_obj_open(&ask->stages, NULL);
	krn_json_str(&ask->stages, "stageName", text);
	krn_json_c(&ask->stages, "requiredRole",
		   parsed ? krn_role_name(parsed) : "");
	krn_json_c(&ask->stages, "status", "pending");
	krn_json_close(&ask->stages);
}

/* Without stages: one, of an admin. */
static void
approval_read_stages(struct approval_ask *ask)
{
	const struct krn_member admin[] = {
	    {KRN_STR("stageName"), krn_value_str(KRN_STR("Approval"))},
	    {KRN_STR("requiredRole"), krn_value_str(KRN_STR("admin"))},
	};
	const struct krn_value one = {.type = KRN_VALUE_OBJECT,
				      .object = {admin, KRN_NR(admin)}};
	const struct krn_value otherwise = {.type = KRN_VALUE_ARRAY,
					    .array = {&one, 1}};
	const struct krn_value *stages = ask->fields->stages;

	if (approval_is_absent(stages))
		stages = &otherwise;
	krn_json_arr_open(&ask->stages, NULL);
	if (stages->type != KRN_VALUE_ARRAY || stages->array.nr == 0 ||
	    stages->array.nr > APPROVAL_STAGES_MAX)
		krn_problem_add(ask->problems, "stages",
				"must be a list of 1 to %d stages",
				APPROVAL_STAGES_MAX);
	else
		for (size_t i = 0; i < stages->array.nr; i++)
			approval_read_stage(ask, &stages->array.items[i], i);
	krn_json_close(&ask->stages);
	krn_json_end(&ask->stages);
}

/* What goes with the action, and what does not. */
static void
approval_check_action(struct approval_ask *ask)
{
	const struct krn_approval_fields *f = ask->fields;
	const bool is_create = krn_str_eq_c(ask->action, "create");
	const bool is_delete = krn_str_eq_c(ask->action, "delete");

	if (is_create && !approval_is_absent(f->entity_id))
		krn_problem_add(ask->problems, "entityId",
				"does not go with the action create");
	if (!is_create && approval_is_absent(f->entity_id))
		krn_problem_add(ask->problems, "entityId", "is required");
	if (is_delete && !approval_is_absent(f->payload))
		krn_problem_add(ask->problems, "payload",
				"does not go with the action delete");
	if (!is_delete && (approval_is_absent(f->payload) ||
			   f->payload->type != KRN_VALUE_OBJECT))
		krn_problem_add(ask->problems, "payload",
				"is required, as an object");
}

static enum krn_err
approval_read(struct approval_ask *ask, struct krn_error *err)
{
	const struct krn_approval_fields *f = ask->fields;
	size_t i = 0;

	ask->entity_type =
	    approval_text(ask, "entityType", f->entity_type, true);
	ask->entity_id = approval_text(ask, "entityId", f->entity_id, false);
	ask->entity_name =
	    approval_text(ask, "entityName", f->entity_name, false);
	ask->action = approval_text(ask, "action", f->action, true);
	if (ask->entity_type.s && approval_kind(ask->entity_type) < 0)
		krn_problem_add(ask->problems, "entityType",
				"must be one of arbitrationProfile, channel, "
				"contactPolicy, creative, decisionFlow, offer, "
				"qualificationRule, rankingProfile");
	while (i < KRN_NR(approval_actions) && ask->action.s &&
	       !krn_str_eq_c(ask->action, approval_actions[i]))
		i++;
	if (i == KRN_NR(approval_actions))
		krn_problem_add(ask->problems, "action",
				"must be one of create, update, delete");
	else if (ask->action.s)
		approval_check_action(ask);
	approval_read_stages(ask);
	return krn_problems_end(ask->problems, NULL, err);
}

static enum krn_err
approval_audit(struct krn_arena *arena, struct krn_db *db,
	       const struct krn_caller *caller, const char *action,
	       struct krn_str id, struct krn_str name,
	       const struct krn_member *changes, size_t changes_nr,
	       struct krn_str before, struct krn_str after,
	       struct krn_error *err)
{
	struct krn_audit audit = {
	    .action = action,
	    .entity_type = "approval",
	    .entity_id = id,
	    .entity_name = name,
	};
	enum krn_err e;

	if ((e = krn_audit_object(arena, changes, changes_nr, &audit.changes,
				  err)) ||
	    (e = krn_audit_status(arena, before, &audit.before, err)) ||
	    (e = krn_audit_status(arena, after, &audit.after, err)))
		return e;
	return krn_audit_append(arena, db, caller, &audit, err);
}

/* The change that is asked for; `payload` is not looked at for a delete. */
static struct krn_edit
approval_edit(struct krn_str entity_type, struct krn_str entity_id,
	      struct krn_str action, const struct krn_value *payload)
{
	return (struct krn_edit){
	    .kind = (enum krn_kind_id)approval_kind(entity_type),
	    .id = entity_id,
	    .fields = krn_str_eq_c(action, "delete") ? NULL : payload,
	};
}

enum krn_err
krn_approval_create(struct krn_arena *arena, struct krn_db *db,
		    const struct krn_caller *caller,
		    const struct krn_approval_fields *fields,
		    struct krn_str *ret_document, struct krn_error *err)
{
	struct approval_ask ask = {
	    .problems = krn_arena_make(arena, struct krn_problems),
	    .fields = fields,
	};
	const struct krn_str id = krn_id_new(arena, "apr");
	struct krn_str stages, payload = {NULL, 0};
	struct krn_edit_done done;
	struct krn_buf buf, payload_buf;
	const struct krn_rows *rows;
	enum krn_err e;

	if (!ask.problems || !id.s)
		return krn_arena_fail(arena, err);
	ask.problems->arena = arena;
	krn_buf_init(&buf, arena);
	krn_buf_init(&payload_buf, arena);
	krn_json_init(&ask.stages, &buf);
	if ((e = approval_read(&ask, err)) ||
	    (e = krn_buf_end(&buf, &stages, err)))
		return e;
	struct krn_edit edit = approval_edit(ask.entity_type, ask.entity_id,
					     ask.action, fields->payload);

	edit.is_dry = true;
	if ((e = krn_edit_make(arena, db, caller, &edit, &done, err)))
		return e;
	if (edit.fields) {
		krn_json_canonical(&payload_buf, edit.fields);
		if ((e = krn_buf_end(&payload_buf, &payload, err)))
			return e;
	}
	/* who approves goes by the name */
	if (ask.entity_name.s && !krn_str_eq(ask.entity_name, done.name))
		return krn_refuse(err, KRN_ERR_INVALID,
				  "entityName is not the name of the object");
	ask.entity_name = done.name;
	const struct krn_param params[] = {
	    krn_param_str(id),
	    krn_param_str(ask.entity_type),
	    krn_param_str(ask.entity_id),
	    krn_param_str(ask.entity_name),
	    krn_param_str(ask.action),
	    krn_param_str(payload),
	    krn_param_str(stages),
	    krn_param_str(caller->actor_id),
	    krn_param_str(caller->actor_name),
	};
	const struct krn_member changes[] = {
	    {KRN_STR("action"), krn_value_str(ask.action)},
	    {KRN_STR("entityType"), krn_value_str(ask.entity_type)},
	};

	if ((e = krn_db_exec(db, KRN_STMT_approval_insert, params, &rows, err)))
		return e;
	*ret_document = krn_rows_str(rows, 0, 0);
	return approval_audit(arena, db, caller, "approval.create", id,
			      ask.entity_name, changes, KRN_NR(changes),
			      (struct krn_str){NULL, 0}, KRN_STR("pending"),
			      err);
}

/* Deciding */

/* The columns of approval_lock. */
enum {
	APPROVAL_STATUS,
	APPROVAL_ENTITY_TYPE,
	APPROVAL_ENTITY_ID,
	APPROVAL_ENTITY_NAME,
	APPROVAL_ACTION,
	APPROVAL_REQUESTER_ID,
	APPROVAL_PAYLOAD,
	APPROVAL_STAGES,
	APPROVAL_FOUR_EYES,
};

/* The stage that is decided on, and whether it is the last. */
struct approval_stage {
	size_t index;
	struct krn_str name, role;
	bool is_last;
};

static enum krn_err
approval_find_stage(struct krn_arena *arena, const struct krn_rows *held,
		    struct approval_stage *ret, struct krn_error *err)
{
	struct krn_value stages;
	size_t i = 0;
	enum krn_err e;

	if ((e = krn_json_parse_stored(
		 arena, krn_rows_str(held, 0, APPROVAL_STAGES), &stages, err)))
		return e;
	while (i < stages.array.nr &&
	       !krn_str_eq_c(
		   krn_value_find(&stages.array.items[i], "status")->string,
		   "pending"))
		i++;
	if (i == stages.array.nr)
		return krn_fail(err, KRN_ERR_INTERNAL,
				"a pending approval without such a stage");
	*ret = (struct approval_stage){
	    .index = i,
	    .name = krn_value_find(&stages.array.items[i], "stageName")->string,
	    .role =
		krn_value_find(&stages.array.items[i], "requiredRole")->string,
	    .is_last = i + 1 == stages.array.nr,
	};
	return KRN_OK;
}

/* May the caller decide on this stage in this way? */
static enum krn_err
approval_may_decide(const struct krn_rows *held,
		    const struct approval_stage *stage, bool approve,
		    const struct krn_caller *caller, struct krn_error *err)
{
	enum krn_role needed = KRN_ROLE_ADMIN;

	if (!krn_role_parse(stage->role, &needed) || caller->role < needed)
		return krn_refuse(err, KRN_ERR_FORBIDDEN,
				  "the stage \"%.*s\" needs the role %s",
				  KRN_STR_ARG(stage->name),
				  krn_role_name(needed));
	if (approve && krn_rows_bool(held, 0, APPROVAL_FOUR_EYES) &&
	    krn_str_eq(krn_rows_str(held, 0, APPROVAL_REQUESTER_ID),
		       caller->actor_id))
		return krn_refuse(err, KRN_ERR_FORBIDDEN,
				  "who asked for it may not approve it: four "
				  "eyes are needed");
	return KRN_OK;
}

/* Make the change; *ret_id is the object's. */
static enum krn_err
approval_apply(struct krn_arena *arena, struct krn_db *db,
	       const struct krn_caller *caller, const struct krn_rows *held,
	       struct krn_str *ret_id, struct krn_error *err)
{
	const struct krn_str text = krn_rows_str(held, 0, APPROVAL_PAYLOAD);
	struct krn_value payload = {.type = KRN_VALUE_NULL};
	struct krn_edit_done done;
	enum krn_err e;

	if (text.s && (e = krn_json_parse_stored(arena, text, &payload, err)))
		return e;
	const struct krn_edit edit =
	    approval_edit(krn_rows_str(held, 0, APPROVAL_ENTITY_TYPE),
			  krn_rows_str(held, 0, APPROVAL_ENTITY_ID),
			  krn_rows_str(held, 0, APPROVAL_ACTION), &payload);

	if ((e = krn_edit_make(arena, db, caller, &edit, &done, err)))
		return e;
	*ret_id = done.id;
	return KRN_OK;
}

/* The stage's place in the JSON of the row: text[] of one. */
static enum krn_err
approval_stage_param(struct krn_arena *arena, size_t index,
		     struct krn_param *ret, struct krn_error *err)
{
	const struct krn_str text = krn_str_printf(arena, "%zu", index);

	if (!text.s)
		return krn_arena_fail(arena, err);
	*ret = krn_param_str_array(arena, &text, 1);
	return ret->value ? KRN_OK : krn_arena_fail(arena, err);
}

enum krn_err
krn_approval_decide(struct krn_arena *arena, struct krn_db *db,
		    const struct krn_caller *caller, struct krn_str id,
		    bool approve, struct krn_str comments,
		    struct krn_str *ret_document, struct krn_error *err)
{
	const struct krn_param lock[] = {krn_param_str(id)};
	struct krn_str entity_id = {NULL, 0};
	struct approval_stage stage = {.index = 0};
	struct krn_param place = {.value = NULL};
	const struct krn_rows *held, *rows;
	enum krn_err e;

	/* the approval's row first, then the lock of the configuration */
	if ((e = krn_db_exec(db, KRN_STMT_approval_lock, lock, &held, err)))
		return e;
	if (krn_rows_nr(held) == 0)
		return krn_refuse(err, KRN_ERR_NOTFOUND, "no such approval");
	if (!krn_str_eq_c(krn_rows_str(held, 0, APPROVAL_STATUS), "pending"))
		return krn_refuse(
		    err, KRN_ERR_CONFLICT, "the approval is %.*s already",
		    KRN_STR_ARG(krn_rows_str(held, 0, APPROVAL_STATUS)));
	if ((e = approval_find_stage(arena, held, &stage, err)) ||
	    (e = approval_may_decide(held, &stage, approve, caller, err)) ||
	    (e = approval_stage_param(arena, stage.index, &place, err)) ||
	    (approve && stage.is_last &&
	     (e = approval_apply(arena, db, caller, held, &entity_id, err))))
		return e;
	const char *status = !approve        ? "rejected"
			     : stage.is_last ? "approved"
					     : "pending";
	const struct krn_param params[] = {
	    krn_param_str(id),
	    krn_param_c(status),
	    krn_param_str(entity_id),
	    place,
	    krn_param_c(approve ? "approved" : "rejected"),
	    krn_param_str(caller->actor_id),
	    krn_param_str(caller->actor_name),
	    krn_param_str(comments),
	};
	const struct krn_member changes[] = {
	    {KRN_STR("action"),
	     krn_value_str(krn_rows_str(held, 0, APPROVAL_ACTION))},
	    {KRN_STR("entityType"),
	     krn_value_str(krn_rows_str(held, 0, APPROVAL_ENTITY_TYPE))},
	    {KRN_STR("stageName"), krn_value_str(stage.name)},
	};

	if ((e = krn_db_exec(db, KRN_STMT_approval_decide, params, &rows, err)))
		return e;
	*ret_document = krn_rows_str(rows, 0, 0);
	return approval_audit(
	    arena, db, caller, approve ? "approval.approve" : "approval.reject",
	    id, krn_rows_str(held, 0, APPROVAL_ENTITY_NAME), changes,
	    KRN_NR(changes), KRN_STR("pending"), krn_str_c(status), err);
}
