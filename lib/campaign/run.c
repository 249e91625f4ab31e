/*
 * Runs: started, held, cancelled, restarted; and the end of a campaign.
 */

#include "base/base.h"

#include "campaign/run.h"

#include "access/audit.h"
#include "base/id.h"
#include "base/json_in.h"
#include "base/json_out.h"
#include "campaign/step.h"

/* What happened to a run; `changes` is JSON that tells of it. */
static enum krn_err
run_audit(struct krn_arena *arena, struct krn_db *db,
	  const struct krn_caller *caller, const char *action,
	  struct krn_str run_id, struct krn_str changes, struct krn_str before,
	  struct krn_str after, struct krn_error *err)
{
	struct krn_audit audit = {
	    .action = action,
	    .entity_type = "campaign_run",
	    .entity_id = run_id,
	    .changes = changes,
	};
	enum krn_err e;

	if ((e = krn_audit_status(arena, before, &audit.before, err)) ||
	    (e = krn_audit_status(arena, after, &audit.after, err)))
		return e;
	return krn_audit_append(arena, db, caller, &audit, err);
}

static enum krn_err
run_may_start(struct krn_db *db, const struct krn_rows *campaign,
	      struct krn_error *err)
{
	const struct krn_rows *known;
	enum krn_err e;

	if (krn_str_eq_c(krn_rows_str(campaign, 0, 0), "archived"))
		return krn_refuse(err, KRN_ERR_CONFLICT,
				  "the campaign is archived");
	if (krn_rows_bool(campaign, 0, 4))
		return krn_refuse(
		    err, KRN_ERR_CONFLICT,
		    "a run of this campaign is pending or running");
	const struct krn_param refs[] = {
	    krn_param_str(krn_rows_str(campaign, 0, 1)),
	    krn_param_str(krn_rows_str(campaign, 0, 2)),
	    krn_param_str(krn_rows_str(campaign, 0, 3)),
	    krn_param_c("UTC"),
	    krn_param_c("[]"),
	};

	if ((e = krn_db_exec(db, KRN_STMT_campaign_check, refs, &known, err)))
		return e;
	if (krn_rows_int(known, 0, 4) == 0)
		return krn_refuse(err, KRN_ERR_CONFLICT,
				  "there is no active channel for files");
	return KRN_OK;
}

/* A run of a campaign, with the job of its first step. */
static enum krn_err
run_start(struct krn_arena *arena, struct krn_db *db,
	  struct krn_str campaign_id, const char *triggered_by,
	  struct krn_str *ret_id, struct krn_str *ret_document,
	  struct krn_error *err)
{
	const struct krn_param lock[] = {krn_param_str(campaign_id)};
	const struct krn_str id = krn_id_new(arena, "crun");
	const struct krn_rows *rows;
	enum krn_err e;

	if (!id.s)
		return krn_arena_fail(arena, err);

	if ((e = krn_db_exec(db, KRN_STMT_campaign_lock, lock, &rows, err)))
		return e;
	if (krn_rows_nr(rows) == 0)
		return krn_refuse(err, KRN_ERR_NOTFOUND, "no such campaign");
	if ((e = run_may_start(db, rows, err)))
		return e;
	const struct krn_param params[] = {
	    krn_param_str(id),
	    krn_param_str(campaign_id),
	    krn_param_c(triggered_by),
	};
	const struct krn_str payload =
	    krn_str_printf(arena, "{\"runId\": \"%.*s\"}", KRN_STR_ARG(id));

	if (!payload.s)
		return krn_arena_fail(arena, err);
	krn_db_send(db, KRN_STMT_run_insert, params, &rows);
	krn_job_enqueue(arena, db, KRN_STEP_TOPIC, "run_plan", payload);
	if ((e = krn_db_flush(db, err)))
		return e;
	*ret_id = id;
	*ret_document = krn_rows_str(rows, 0, 0);
	return KRN_OK;
}

enum krn_err
krn_run_trigger(struct krn_arena *arena, struct krn_db *db,
		const struct krn_caller *caller, struct krn_str campaign_id,
		const char *triggered_by, struct krn_str *ret_document,
		struct krn_error *err)
{
	const struct krn_member members[] = {
	    {KRN_STR("campaignId"), krn_value_str(campaign_id)},
	    {KRN_STR("triggeredBy"), krn_value_str(krn_str_c(triggered_by))},
	};
	struct krn_str id, changes;
	enum krn_err e;

	if ((e = run_start(arena, db, campaign_id, triggered_by, &id,
			   ret_document, err)) ||
	    (e = krn_audit_object(arena, members, KRN_NR(members), &changes,
				  err)))
		return e;
	return run_audit(arena, db, caller, "campaign_run.trigger", id, changes,
			 (struct krn_str){NULL, 0}, KRN_STR("pending"), err);
}

/* Held, resumed, cancelled */

static const struct run_move {
	const char *verb, *action;
	const char *from[4]; /* states that allow it */
	const char *to;
	enum krn_stmt jobs;
} run_moves[] = {
    [KRN_RUN_PAUSE] = {"pause",
		       "campaign_run.pause",
		       {"pending", "running", NULL},
		       "paused",
		       KRN_STMT_run_jobs_hold},
    [KRN_RUN_RESUME] = {"resume",
			"campaign_run.resume",
			{"paused", NULL},
			"running",
			KRN_STMT_run_jobs_release},
    [KRN_RUN_CANCEL] = {"cancel",
			"campaign_run.cancel",
			{"pending", "running", "paused", NULL},
			"cancelled",
			KRN_STMT_run_jobs_delete},
};

/* Why a run was not moved: it is not there, or its state. */
static enum krn_err
run_refuse_move(struct krn_db *db, struct krn_str campaign_id,
		struct krn_str run_id, const struct run_move *move,
		struct krn_error *err)
{
	const struct krn_param params[] = {krn_param_str(campaign_id),
					   krn_param_str(run_id)};
	const struct krn_rows *rows;
	enum krn_err e;

	if ((e = krn_db_exec(db, KRN_STMT_run_get, params, &rows, err)))
		return e;
	if (krn_rows_nr(rows) == 0)
		return krn_refuse(err, KRN_ERR_NOTFOUND, "no such run");
	return krn_refuse(err, KRN_ERR_CONFLICT,
			  "a run in this state cannot be moved: %s",
			  move->verb);
}

void
krn_run_discard(struct krn_arena *arena, struct krn_db *db,
		struct krn_str run_id)
{
	const struct krn_param params[] = {
	    krn_param_str(krn_id_new(arena, "job")), krn_param_str(run_id)};

	krn_db_send(db, KRN_STMT_run_discard, params, NULL);
}

enum krn_err
krn_run_move(struct krn_arena *arena, struct krn_db *db,
	     const struct krn_caller *caller, struct krn_str campaign_id,
	     struct krn_str run_id, enum krn_run_move to,
	     struct krn_str *ret_document, struct krn_error *err)
{
	const struct run_move *move = &run_moves[to];
	const struct krn_member members[] = {
	    {KRN_STR("campaignId"), krn_value_str(campaign_id)}};
	struct krn_str from[4], changes;
	size_t nr = 0;
	const struct krn_rows *rows;
	enum krn_err e;

	for (; move->from[nr]; nr++)
		from[nr] = krn_str_c(move->from[nr]);
	const struct krn_param params[] = {
	    krn_param_str(campaign_id),
	    krn_param_str(run_id),
	    krn_param_str_array(arena, from, nr),
	    krn_param_c(move->to),
	};
	const struct krn_param jobs[] = {krn_param_str(run_id)};

	if (!params[2].value)
		return krn_arena_fail(arena, err);
	/* the run's row first: a step that ends now is waited for */
	if ((e = krn_db_exec(db, KRN_STMT_run_status_set, params, &rows, err)))
		return e;
	if (krn_rows_nr(rows) == 0)
		return run_refuse_move(db, campaign_id, run_id, move, err);
	krn_db_send(db, move->jobs, jobs, NULL);
	krn_run_discard(arena, db, run_id);
	krn_db_send(db, KRN_STMT_job_notify, NULL, NULL);
	*ret_document = krn_rows_str(rows, 0, 0);
	if ((e = krn_audit_object(arena, members, KRN_NR(members), &changes,
				  err)))
		return e;
	return run_audit(arena, db, caller, move->action, run_id, changes,
			 krn_rows_str(rows, 0, 1), krn_rows_str(rows, 0, 2),
			 err);
}

/* Inline */

/* All that is wrong with what an inline execution names. */
static enum krn_err
run_inline_check(struct krn_arena *arena, const struct krn_rows *found,
		 struct krn_error *err)
{
	struct krn_problems problems = {.arena = arena};

	if (krn_rows_is_null(found, 0, 0) && krn_rows_is_null(found, 0, 1))
		return krn_refuse(err, KRN_ERR_NOTFOUND,
				  "no such campaign or run");
	if (krn_rows_is_null(found, 0, 3))
		krn_problem_add(&problems, "decisionFlowId",
				"no such decision flow");
	else if (!krn_rows_bool(found, 0, 4))
		krn_problem_add(&problems, "decisionFlowId",
				"the decision flow was never published");
	if (krn_rows_is_null(found, 0, 5))
		krn_problem_add(&problems, "segmentViewName",
				"not the view of a segment");
	if (problems.nr == 0)
		return KRN_OK;
	return krn_refuse(err, KRN_ERR_INVALID, "%s: %s",
			  problems.list[0].field, problems.list[0].message);
}

/* May this run begin anew? One that waits already has its job. */
static enum krn_err
run_inline_restart(struct krn_arena *arena, struct krn_db *db,
		   struct krn_str run_id, const struct krn_rows *held,
		   struct krn_error *err)
{
	const struct krn_str status = krn_rows_nr(held)
					  ? krn_rows_str(held, 0, 0)
					  : (struct krn_str){NULL, 0};
	const struct krn_param jobs[] = {krn_param_str(run_id)};
	const struct krn_str payload =
	    krn_str_printf(arena, "{\"runId\": \"%.*s\"}", KRN_STR_ARG(run_id));

	if (!payload.s)
		return krn_arena_fail(arena, err);
	if (!status.s)
		return krn_refuse(err, KRN_ERR_NOTFOUND,
				  "no such campaign or run");
	if (!krn_str_eq_c(status, "pending") &&
	    !krn_str_eq_c(status, "failed") &&
	    !krn_str_eq_c(status, "cancelled"))
		return krn_refuse(err, KRN_ERR_CONFLICT,
				  "the run is %.*s: only a pending, failed or "
				  "cancelled one can be executed",
				  KRN_STR_ARG(status));
	krn_db_send(db, KRN_STMT_run_jobs_delete, jobs, NULL);
	krn_job_enqueue(arena, db, KRN_STEP_TOPIC, "run_plan", payload);
	return KRN_OK;
}

enum krn_err
krn_run_inline(struct krn_arena *arena, struct krn_db *db,
	       const struct krn_caller *caller, struct krn_str id,
	       struct krn_str flow_id, struct krn_str view_name,
	       struct krn_str *ret_run_id, struct krn_error *err)
{
	const struct krn_param find[] = {krn_param_str(id),
					 krn_param_str(flow_id),
					 krn_param_str(view_name)};
	const struct krn_member members[] = {
	    {KRN_STR("decisionFlowId"), krn_value_str(flow_id)},
	    {KRN_STR("segmentViewName"), krn_value_str(view_name)},
	};
	const struct krn_rows *found, *held = NULL;
	struct krn_str document, changes;
	enum krn_err e;

	if ((e = krn_db_exec(db, KRN_STMT_run_inline_find, find, &found,
			     err)) ||
	    (e = run_inline_check(arena, found, err)))
		return e;
	*ret_run_id = id;
	if (!krn_rows_is_null(found, 0, 0)) {
		if ((e = run_start(arena, db, id, "inline", ret_run_id,
				   &document, err)))
			return e;
	} else {
		const struct krn_param lock[] = {
		    krn_param_str(krn_rows_str(found, 0, 2))};

		/*
		 * The campaign's row: nobody starts another run meanwhile. The
		 * run's before its jobs: a step that ends makes new ones.
		 */
		krn_db_send(db, KRN_STMT_campaign_lock, lock, NULL);
		krn_db_send(db, KRN_STMT_run_hold, find, &held);
		if ((e = krn_db_flush(db, err)) ||
		    (e = run_inline_restart(arena, db, id, held, err)))
			return e;
	}
	const struct krn_param set[] = {
	    krn_param_str(*ret_run_id),
	    krn_param_str(flow_id),
	    krn_param_str(krn_rows_str(found, 0, 5)),
	};

	krn_db_send(db, KRN_STMT_run_inline_set, set, NULL);
	if ((e = krn_audit_object(arena, members, KRN_NR(members), &changes,
				  err)))
		return e;
	return run_audit(arena, db, caller, "campaign_run.execute_inline",
			 *ret_run_id, changes,
			 held ? krn_rows_str(held, 0, 0)
			      : (struct krn_str){NULL, 0},
			 KRN_STR("pending"), err);
}

/* The end of a campaign */

enum krn_err
krn_campaign_delete(struct krn_arena *arena, struct krn_db *db,
		    const struct krn_caller *caller, struct krn_str campaign_id,
		    bool force, struct krn_error *err)
{
	const struct krn_param id[] = {krn_param_str(campaign_id)};
	struct krn_audit audit = {
	    .action = "campaign.delete",
	    .entity_type = "campaign",
	    .entity_id = campaign_id,
	};
	const struct krn_rows *locked, *open, *gone;
	struct krn_value fields;
	enum krn_err e;

	krn_db_send(db, KRN_STMT_campaign_fields, id, &locked);
	krn_db_send(db, KRN_STMT_run_open, id, &open);
	if ((e = krn_db_flush(db, err)))
		return e;
	if (krn_rows_nr(locked) == 0)
		return krn_refuse(err, KRN_ERR_NOTFOUND, "no such campaign");
	audit.before = krn_rows_str(locked, 0, 0);
	if ((e = krn_json_parse_stored(arena, audit.before, &fields, err)))
		return e;
	audit.entity_name = krn_value_find(&fields, "name")->string;
	if (krn_rows_nr(open)) {
		struct krn_str document;

		if (!force)
			return krn_refuse(err, KRN_ERR_CONFLICT,
					  "a run of this campaign is pending "
					  "or running");
		if ((e = krn_run_move(arena, db, caller, campaign_id,
				      krn_rows_str(open, 0, 0), KRN_RUN_CANCEL,
				      &document, err)))
			return e;
	}
	if ((e = krn_db_exec(db, KRN_STMT_campaign_delete, id, &gone, err)))
		return e;
	if (krn_rows_nr(gone) == 0)
		return krn_refuse(err, KRN_ERR_NOTFOUND, "no such campaign");
	krn_job_enqueue(arena, db, KRN_STEP_TOPIC, "run_purge",
			krn_rows_str(gone, 0, 0));
	return krn_audit_append(arena, db, caller, &audit, err);
}
