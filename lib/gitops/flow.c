/*
 * Publishing flows, and the base flow.
 */

#include "base/base.h"

#include "gitops/flow.h"

#include "access/audit.h"
#include "base/id.h"
#include "base/json_in.h"
#include "base/json_out.h"
#include "gitops/apply.h"
#include "gitops/edit.h"

/* clang-format off */
/* Source: spec, composable pipeline: the base flow, in order. */
static const char flow_base[] =
	"{\"name\": \"Base flow\", \"key\": \"base\", \"description\": \"What every flow begins with\","
	" \"draftConfig\": {\"version\": 2, \"flowConfig\": {}, \"nodes\": ["
	"{\"id\": \"inventory\", \"type\": \"inventory\", \"config\": {\"scope\": \"all\", \"includeStatuses\": [\"active\"]}},"
	"{\"id\": \"match_creatives\", \"type\": \"match_creatives\", \"config\": {\"placementMatchMode\": \"exact\", \"requireCreative\": false}},"
	"{\"id\": \"enrich\", \"type\": \"enrich\", \"config\": {\"sources\": []}},"
	"{\"id\": \"qualify\", \"type\": \"qualify\", \"config\": {\"mode\": \"all\"}},"
	"{\"id\": \"contact_policy\", \"type\": \"contact_policy\", \"config\": {\"mode\": \"all\"}},"
	"{\"id\": \"pre_score\", \"type\": \"extension_point\", \"config\": {\"hook\": \"pre_score\"}},"
	"{\"id\": \"score\", \"type\": \"score\", \"config\": {\"method\": \"priority_weighted\"}},"
	"{\"id\": \"score_override\", \"type\": \"extension_point\", \"config\": {\"hook\": \"score_override\"}},"
	"{\"id\": \"rank\", \"type\": \"rank\", \"config\": {\"method\": \"diversity\", \"maxCandidates\": 5}},"
	"{\"id\": \"post_rank\", \"type\": \"extension_point\", \"config\": {\"hook\": \"post_rank\"}},"
	"{\"id\": \"response\", \"type\": \"response\", \"config\": {\"responseFormat\": \"standard\"}}]}}";
/* clang-format on */

/* May this flow be published, by who saw that version of it? */
static enum krn_err
flow_may_publish(const struct krn_rows *state,
		 const struct krn_flow_publish *what, struct krn_error *err)
{
	if (krn_rows_nr(state) == 0)
		return krn_refuse(err, KRN_ERR_NOTFOUND, "no such flow");
	if (what->row_version >= 0 &&
	    what->row_version != krn_rows_int(state, 0, 0))
		return krn_refuse(err, KRN_ERR_CONFLICT,
				  "the flow was changed meanwhile: its "
				  "rowVersion is %lld",
				  (long long)krn_rows_int(state, 0, 0));
	if (krn_str_eq_c(krn_rows_str(state, 0, 2), "archived"))
		return krn_refuse(err, KRN_ERR_CONFLICT,
				  "an archived flow is not published");
	if (krn_rows_bool(state, 0, 4))
		return krn_refuse(err, KRN_ERR_INVALID,
				  "the flow has no nodes to publish");
	return KRN_OK;
}

static enum krn_err
flow_audit(struct krn_arena *arena, struct krn_db *db,
	   const struct krn_caller *caller, const struct krn_flow_publish *what,
	   struct krn_str name, struct krn_str audit_id, int64_t version,
	   struct krn_error *err)
{
	struct krn_audit audit = {
	    .id = audit_id,
	    .action = "decision_flow.publish",
	    .entity_type = "decision_flow",
	    .entity_id = what->id,
	    .entity_name = name,
	};
	const struct krn_member changes[] = {
	    {KRN_STR("notes"), krn_value_str(what->notes)},
	    {KRN_STR("version"), krn_value_int(version)},
	};
	enum krn_err e;

	if ((e = krn_audit_object(arena, changes, KRN_NR(changes),
				  &audit.changes, err)))
		return e;
	return krn_audit_append(arena, db, caller, &audit, err);
}

enum krn_err
krn_flow_publish(struct krn_arena *arena, struct krn_db *db,
		 const struct krn_caller *caller,
		 const struct krn_flow_publish *what, struct krn_error *err)
{
	const struct krn_param id[] = {krn_param_str(what->id)};
	const struct krn_str audit_id = krn_id_new(arena, "aud");
	const struct krn_rows *state, *published;
	enum krn_err e;

	if (!audit_id.s)
		return krn_arena_fail(arena, err);
	if ((e = krn_config_lock(db, err)) ||
	    (e = krn_db_exec(db, KRN_STMT_flow_state, id, &state, err)) ||
	    (e = flow_may_publish(state, what, err)) ||
	    (e = krn_edit_check_live(arena, db, KRN_KIND_FLOW, what->id, err)))
		return e;
	const struct krn_param actor[] = {krn_param_str(caller->actor_name),
					  krn_param_str(audit_id)};
	const struct krn_param publish[] = {
	    krn_param_str_array(arena, &what->id, 1),
	    krn_param_str(caller->actor_name),
	    krn_param_str(what->notes),
	};

	if (!publish[0].value)
		return krn_arena_fail(arena, err);
	krn_db_send(db, KRN_STMT_actor_set, actor, NULL);
	krn_db_send(db, KRN_STMT_flow_publish, publish, NULL);
	krn_db_send(db, KRN_STMT_config_epoch_bump, NULL, NULL);
	krn_db_send(db, KRN_STMT_flow_published, id, &published);
	if ((e = krn_db_flush(db, err)))
		return e;
	return flow_audit(arena, db, caller, what, krn_rows_str(state, 0, 3),
			  audit_id, krn_rows_int(published, 0, 0), err);
}

enum krn_err
krn_flow_ensure_base(struct krn_arena *arena, struct krn_db *db,
		     const struct krn_caller *caller, struct krn_str *ret_id,
		     bool *ret_created, struct krn_error *err)
{
	const struct krn_param key[] = {krn_param_c("base")};
	const struct krn_rows *found;
	struct krn_value fields;
	enum krn_err e;

	if ((e = krn_config_lock(db, err)) ||
	    (e = krn_db_exec(db, KRN_STMT_flow_find, key, &found, err)))
		return e;
	*ret_created = krn_rows_nr(found) == 0;
	if (!*ret_created) {
		*ret_id = krn_rows_str(found, 0, 0);
		return KRN_OK;
	}
	if ((e = krn_json_parse(arena, krn_str_c(flow_base), KRN_JSON_DEPTH_MAX,
				&fields, err)))
		return e;
	const struct krn_edit edit = {.kind = KRN_KIND_FLOW, .fields = &fields};
	struct krn_edit_done made;

	if ((e = krn_edit_make(arena, db, caller, &edit, &made, err)))
		return e;
	*ret_id = made.id;
	const struct krn_flow_publish publish = {
	    .id = *ret_id, .notes = KRN_STR("base"), .row_version = -1};

	return krn_flow_publish(arena, db, caller, &publish, err);
}
