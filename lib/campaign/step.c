/*
 * Steps: dispatch by kind, what they share, and how a run fails.
 */

#include "base/base.h"

#include "campaign/step.h"

#include "base/json_in.h"
#include "campaign/run.h"
#include "campaign/step_private.h"

static const struct {
	const char *kind;
	enum krn_err (*run)(struct krn_step *step, struct krn_error *err);
} step_kinds[] = {
    {"run_plan", krn_step_plan},
    {"run_decide", krn_step_decide},
    {"run_allocate", krn_step_allocate},
    {"run_finish", krn_step_finish},
    {"run_purge", krn_step_purge},
    {"run_discard", krn_step_discard},
};

static struct krn_str
step_payload_text(const struct krn_job *job, const char *name)
{
	const struct krn_value *value = krn_value_find(job->payload, name);

	return value && value->type == KRN_VALUE_STRING ? value->string
							: KRN_STR("");
}

/*
 * What the operator of a run reads when the database refused something, by
 * SQLSTATE; a row's text is a prefix, the first that fits counts. The cause
 * itself is the log's.
 */
static const struct {
	const char *sqlstate;
	const char *reason;
	bool is_hopeless; /* it would be the same another time */
} step_reasons[] = {
    {"22", "a value in the segment makes its view fail: it is out of range, "
	   "divided by zero, or not what it is converted to", true},
    {"42P01", "the segment's view or what it reads has changed", false},
    {"42703", "the segment's view or what it reads has changed", false},
    {"42501", "the worker may not read or write what it needs", false},
    {"53100", "the disk of the database is full", false},
    {"53", "the database has no room left for this step", false},
    {"57014", "a statement took longer than it may", false},
};

/* Give an error that is for nobody but us a reason. */
static enum krn_err
step_explain(enum krn_err e, struct krn_error *err)
{
	const char *reason = e == KRN_ERR_UNAVAILABLE
				 ? "the database was away"
				 : "the step failed, the worker's log says why";

	if ((e != KRN_ERR_INTERNAL && e != KRN_ERR_UNAVAILABLE) ||
	    err->message[0])
		return e;
	for (size_t i = 0; i < KRN_NR(step_reasons); i++) {
		if (!krn_str_has_prefix(krn_str_c(err->sqlstate),
					krn_str_c(step_reasons[i].sqlstate)))
			continue;
		reason = step_reasons[i].reason;
		if (step_reasons[i].is_hopeless)
			err->code = KRN_ERR_INVALID;
		break;
	}
	snprintf(err->message, sizeof(err->message), "%s", reason);
	return err->code;
}

enum krn_err
krn_step_run(struct krn_arena *arena, struct krn_db *db,
	     const struct krn_options *options, const struct krn_job *job,
	     struct krn_error *err)
{
	struct krn_step step = {arena, db, options, job,
				step_payload_text(job, "runId")};

	for (size_t i = 0; i < KRN_NR(step_kinds); i++) {
		if (!krn_str_eq_c(job->kind, step_kinds[i].kind))
			continue;
		const enum krn_err e = step_kinds[i].run(&step, err);

		krn_db_rollback(db);
		return e ? step_explain(e, err) : KRN_OK;
	}
	return krn_refuse(err, KRN_ERR_NOTFOUND, "unknown kind of job \"%.*s\"",
			  KRN_STR_ARG(job->kind));
}

/*
 * A transaction about the job and its run. The run's row is locked before the
 * job's, as by whoever holds or ends the run.
 */
static enum krn_err
step_begin_end(struct krn_arena *arena, struct krn_db *db,
	       const struct krn_job *job, struct krn_error *err)
{
	const struct krn_param run[] = {
	    krn_param_str(step_payload_text(job, "runId"))};
	enum krn_err e;

	if ((e = krn_db_begin(db, arena, KRN_TX_WRITE, err)))
		return e;
	krn_tenant_set(db, job->tenant_id);
	krn_db_send(db, KRN_STMT_run_hold, run, NULL);
	return KRN_OK;
}

enum krn_err
krn_step_fail(struct krn_arena *arena, struct krn_db *db,
	      const struct krn_job *job, struct krn_str reason,
	      struct krn_error *err)
{
	const struct krn_str run_id = step_payload_text(job, "runId");
	const struct krn_param params[] = {
	    krn_param_str(run_id),
	    krn_param_str(reason),
	};
	enum krn_err e;

	if ((e = step_begin_end(arena, db, job, err)))
		return e;
	if ((e = krn_job_bury(arena, db, job, reason, err))) {
		krn_db_rollback(db);
		return e;
	}
	krn_db_send(db, KRN_STMT_run_fail, params, NULL);
	krn_run_discard(arena, db, run_id);
	return krn_db_commit(db, err);
}

enum krn_err
krn_step_retry(struct krn_arena *arena, struct krn_db *db,
	       const struct krn_job *job, struct krn_str reason,
	       struct krn_str detail, int64_t *ret_pause_us,
	       struct krn_error *err)
{
	const struct krn_str text = krn_str_printf(
	    arena, "attempt %lld of %lld failed, it will be tried again: %.*s",
	    (long long)job->attempts, (long long)job->max_attempts,
	    KRN_STR_ARG(reason));
	const struct krn_param params[] = {
	    krn_param_str(step_payload_text(job, "runId")),
	    krn_param_str(text),
	};
	enum krn_err e;

	if (!text.s)
		return krn_arena_fail(arena, err);
	if ((e = step_begin_end(arena, db, job, err)))
		return e;
	if ((e = krn_job_retry(arena, db, job, detail, ret_pause_us, err))) {
		krn_db_rollback(db);
		return e;
	}
	krn_db_send(db, KRN_STMT_run_note, params, NULL);
	return krn_db_commit(db, err);
}

enum krn_err
step_begin(struct krn_step *step, enum krn_tx tx, struct krn_error *err)
{
	enum krn_err e;

	if ((e = krn_db_begin(step->db, step->arena, tx, err)))
		return e;
	krn_tenant_set(step->db, step->job->tenant_id);
	return KRN_OK;
}

void
step_argument(struct krn_step *step, const char *name, struct krn_str value)
{
	const struct krn_param params[] = {krn_param_c(name),
					   krn_param_str(value)};

	krn_db_send(step->db, KRN_STMT_argument_set, params, NULL);
}

static int64_t
step_limit(const struct krn_value *constraints, const char *name)
{
	const struct krn_value *value = krn_value_find(constraints, name);

	return value && value->type == KRN_VALUE_INT ? value->integer : -1;
}

struct step_limits
step_limits(const struct krn_value *config)
{
	const struct krn_value *constraints = krn_value_find(
	    krn_value_find(config, "campaign"), "volumeConstraints");

	return (struct step_limits){
	    .total = step_limit(constraints, "maxTotalPerRun"),
	    .per_offer = step_limit(constraints, "maxPerOffer"),
	    .per_channel = step_limit(constraints, "maxPerChannel"),
	};
}

enum krn_err
step_compile(struct krn_step *step, const struct krn_value *config,
	     struct krn_str space, struct krn_str view,
	     const struct krn_plan_times *times, const struct krn_plan **ret,
	     const struct krn_rows **ret_columns, struct krn_error *err)
{
	const struct krn_param params[] = {krn_param_str(space),
					   krn_param_str(view)};
	const struct krn_rows *rows;
	bool has_customer_id = false;
	enum krn_err e;

	if ((e = krn_db_exec(step->db, KRN_STMT_segment_columns, params, &rows,
			     err)))
		return e;
	const size_t nr = krn_rows_nr(rows);
	struct krn_attribute *attributes =
	    krn_arena_calloc(step->arena, nr, sizeof(*attributes));

	if (!attributes)
		return krn_arena_fail(step->arena, err);
	for (size_t i = 0; i < nr; i++) {
		attributes[i] = (struct krn_attribute){
		    .name = krn_rows_str(rows, i, 0),
		    .type = krn_attribute_type_parse(krn_rows_str(rows, i, 1)),
		};
		has_customer_id |=
		    krn_str_eq_c(attributes[i].name, "customer_id");
	}
	if (!has_customer_id)
		return krn_refuse(err, KRN_ERR_INVALID,
				  "the segment's view is gone or has no column "
				  "customer_id");
	*ret_columns = rows;
	return krn_plan_compile(step->arena, config, attributes, nr, times, ret,
				err);
}

int64_t
step_column(const struct krn_rows *columns, struct krn_str name)
{
	for (size_t i = 0; i < krn_rows_nr(columns); i++)
		if (krn_str_eq(krn_rows_str(columns, i, 0), name))
			return (int64_t)i;
	return -1;
}

/* From a row of run_load. */
static enum krn_err
step_read(struct krn_step *step, const struct krn_rows *rows,
	  struct step_run *ret, struct krn_error *err)
{
	enum krn_err e;

	ret->now_us = krn_rows_time(rows, 0, 2);
	ret->ceiling = krn_rows_str(rows, 0, 6);
	ret->run_month = krn_rows_str(rows, 0, 7);
	ret->campaign_id = krn_rows_str(rows, 0, 8);
	ret->space = krn_rows_str(rows, 0, 9);
	ret->view_name = krn_rows_str(rows, 0, 10);
	ret->started_us = krn_rows_time(rows, 0, 11);

	const struct krn_plan_times times = {
	    ret->now_us, krn_rows_time(rows, 0, 3), krn_rows_time(rows, 0, 4),
	    krn_rows_time(rows, 0, 5)};

	if ((e = krn_json_parse(step->arena, krn_rows_str(rows, 0, 1),
				2 * KRN_JSON_DEPTH_MAX, &ret->config, err)))
		return e;
	return step_compile(step, &ret->config, ret->space, ret->view_name,
			    &times, &ret->plan, &rows, err);
}

static enum krn_err
step_row(struct krn_step *step, const struct krn_rows **ret,
	 struct krn_error *err)
{
	const struct krn_param params[] = {krn_param_str(step->run_id)};

	return krn_db_exec(step->db, KRN_STMT_run_load, params, ret, err);
}

enum krn_err
step_load(struct krn_step *step, struct step_run *ret, struct krn_error *err)
{
	const struct krn_rows *rows;
	enum krn_err e;

	if ((e = step_row(step, &rows, err)))
		return e;
	*ret = (struct step_run){.is_running = false};
	if (krn_rows_nr(rows) == 0 ||
	    !krn_str_eq_c(krn_rows_str(rows, 0, 0), "running"))
		return KRN_OK;
	ret->is_running = true;
	return step_read(step, rows, ret, err);
}

enum krn_err
step_load_planned(struct krn_step *step, struct step_run *ret,
		  struct krn_error *err)
{
	const struct krn_rows *rows;
	enum krn_err e;

	if ((e = step_row(step, &rows, err)))
		return e;
	if (krn_rows_nr(rows) == 0)
		return krn_refuse(err, KRN_ERR_NOTFOUND,
				  "there is no such run, or it was not planned "
				  "yet");
	*ret = (struct step_run){.is_running = false};
	return step_read(step, rows, ret, err);
}
