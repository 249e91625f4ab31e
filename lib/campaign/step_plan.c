/*
 * Step 1: fix what the run decides with, in one snapshot, and cut its segment
 * into chunks.
 */

#include "base/base.h"

#include "base/json_in.h"
#include "campaign/output.h"
#include "campaign/step_private.h"

/* So many customers' leftovers are removed while the run is locked: some tens
 * of milliseconds. */
#define PLAN_CLEAN_CUSTOMERS 5000

/* Can every customer be told apart? Names one who cannot. */
static enum krn_err
plan_check_segment(struct krn_step *step, const struct krn_str names[2],
		   int64_t *ret_customers, struct krn_error *err)
{
	const struct krn_rows *rows;
	enum krn_err e;

	krn_db_send_named(step->db, KRN_STMT_run_segment_check, names, NULL,
			  &rows);
	if ((e = krn_db_flush(step->db, err)))
		return e;
	if (krn_rows_int(rows, 0, 1) || krn_rows_int(rows, 0, 2))
		return krn_refuse(err, KRN_ERR_INVALID,
				  "the segment has %lld customers without a "
				  "customer_id",
				  (long long)(krn_rows_int(rows, 0, 1) +
					      krn_rows_int(rows, 0, 2)));
	if (!krn_rows_is_null(rows, 0, 3))
		return krn_refuse(err, KRN_ERR_INVALID,
				  "the segment has the customer \"%.*s\" more "
				  "than once",
				  KRN_STR_ARG(krn_rows_str(rows, 0, 3)));
	*ret_customers = krn_rows_int(rows, 0, 0);
	return KRN_OK;
}

/* The chunks' jobs; an empty segment goes to the last step at once. */
static enum krn_err
plan_enqueue(struct krn_step *step, int64_t chunks, struct krn_error *err)
{
	const struct krn_param params[] = {
	    krn_param_str(step->run_id),
	    krn_param_int(step->arena, step->job->max_attempts),
	};

	if (chunks == 0) {
		const struct krn_str payload =
		    krn_str_printf(step->arena, "{\"runId\": \"%.*s\"}",
				   KRN_STR_ARG(step->run_id));

		if (!payload.s)
			return krn_arena_fail(step->arena, err);
		krn_job_enqueue(step->arena, step->db, KRN_STEP_TOPIC,
				"run_finish", payload);
		return KRN_OK;
	}
	krn_db_send(step->db, KRN_STMT_run_decide_jobs, params, NULL);
	return KRN_OK;
}

/* One transaction of plan_clean; how many rows it removed. */
static enum krn_err
plan_clean_some(struct krn_step *step, int64_t *ret_rows, struct krn_error *err)
{
	const struct krn_param run[] = {krn_param_str(step->run_id)};
	const struct krn_rows *left, *gone;
	enum krn_err e;

	*ret_rows = 0;
	if ((e = step_begin(step, KRN_TX_WRITE, err)) ||
	    (e = krn_db_exec(step->db, KRN_STMT_run_leftover, run, &left, err)))
		return e;
	if (krn_rows_nr(left)) {
		const struct krn_param clean[] = {
		    krn_param_str(step->run_id),
		    krn_param_str(krn_rows_str(left, 0, 0)),
		    krn_param_int(step->arena, PLAN_CLEAN_CUSTOMERS)};

		if ((e = krn_db_exec(step->db, KRN_STMT_run_clean, clean, &gone,
				     err)))
			return e;
		*ret_rows = krn_rows_affected(gone);
	}
	return krn_db_commit(step->db, err);
}

/*
 * In transactions of their own, before the snapshot: partitions are made, and
 * what an earlier attempt left goes, bit by bit, since the run is locked
 * meanwhile.
 */
static enum krn_err
plan_prepare(struct krn_step *step, struct krn_error *err)
{
	const struct krn_param params[] = {krn_param_c("now")};
	int64_t removed;
	enum krn_err e;

	if ((e = step_begin(step, KRN_TX_WRITE, err)))
		return e;
	krn_db_send(step->db, KRN_STMT_run_month_ensure, params, NULL);
	if ((e = krn_db_commit(step->db, err)))
		return e;
	do {
		if ((e = plan_clean_some(step, &removed, err)))
			return e;
	} while (removed);
	return KRN_OK;
}

/* The file's attributes and what is computed for it: better now than at the end
 * of the run. */
static enum krn_err
plan_check_file(struct krn_step *step, const struct krn_value *config,
		const struct krn_plan *plan, const struct krn_rows *columns,
		struct krn_error *err)
{
	struct krn_output *output =
	    krn_arena_make(step->arena, struct krn_output);
	enum krn_err e;

	if (!output)
		return krn_arena_fail(step->arena, err);
	if ((e = krn_output_init(
		 output,
		 krn_value_find(krn_value_find(config, "campaign"),
				"fileConfig"),
		 err)) ||
	    (e = krn_output_bind(output, plan, err)))
		return e;
	for (size_t i = 0; i < output->attributes_nr; i++)
		if (step_column(columns, output->attributes[i]) < 0)
			return krn_refuse(err, KRN_ERR_INVALID,
					  "the segment has no attribute "
					  "\"%.*s\" for the file",
					  KRN_STR_ARG(output->attributes[i]));
	return KRN_OK;
}

static enum krn_err
plan_fix(struct krn_step *step, const struct krn_rows *fixed,
	 struct krn_error *err)
{
	const struct krn_str names[] = {krn_rows_str(fixed, 0, 7),
					krn_rows_str(fixed, 0, 8)};
	const struct krn_plan_times times = {
	    krn_rows_time(fixed, 0, 1), krn_rows_time(fixed, 0, 2),
	    krn_rows_time(fixed, 0, 3), krn_rows_time(fixed, 0, 4)};
	const struct krn_plan *plan;
	const struct krn_rows *rows, *columns;
	struct krn_value config;
	int64_t customers = 0;
	enum krn_err e;

	if ((e = krn_json_parse(step->arena, krn_rows_str(fixed, 0, 0),
				2 * KRN_JSON_DEPTH_MAX, &config, err)) ||
	    (e = step_compile(step, &config, names[0], names[1], &times, &plan,
			      &columns, err)) ||
	    (e = plan_check_file(step, &config, plan, columns, err)) ||
	    (e = plan_check_segment(step, names, &customers, err)))
		return e;

	const struct krn_param chunk[] = {
	    krn_param_str(step->run_id),
	    krn_param_int(step->arena, step->options->run_chunk_customers),
	};
	const struct krn_param run[] = {
	    krn_param_str(step->run_id),
	    krn_param_str(krn_rows_str(fixed, 0, 1)),
	    krn_param_str(krn_rows_str(fixed, 0, 5)),
	    krn_param_str(krn_rows_str(fixed, 0, 0)),
	    krn_param_str(krn_rows_str(fixed, 0, 6)),
	    krn_param_int(step->arena, customers),
	};

	krn_db_send_named(step->db, KRN_STMT_run_chunk_insert, names, chunk,
			  NULL);
	krn_db_send(step->db, KRN_STMT_run_plan, run, &rows);
	if ((e = krn_db_flush(step->db, err)))
		return e;
	return plan_enqueue(step, krn_rows_int(rows, 0, 0), err);
}

enum krn_err
krn_step_plan(struct krn_step *step, struct krn_error *err)
{
	const struct krn_param params[] = {krn_param_str(step->run_id)};
	const struct krn_rows *status, *fixed;
	enum krn_err e;

	if ((e = plan_prepare(step, err)) ||
	    (e = step_begin(step, KRN_TX_PLAN, err)))
		return e;
	/* a flush waits for us, or we see what it left */
	krn_db_send(step->db, KRN_STMT_epoch_hold, NULL, NULL);
	krn_db_send(step->db, KRN_STMT_run_work_mem, NULL, NULL);
	krn_db_send(step->db, KRN_STMT_run_status, params, &status);
	krn_db_send(step->db, KRN_STMT_decide_config, params, &fixed);
	if ((e = krn_db_flush(step->db, err)))
		return e;
	if (krn_rows_nr(status) == 0)
		return krn_refuse(err, KRN_ERR_NOTFOUND, "the run is gone");
	if (krn_str_eq_c(krn_rows_str(status, 0, 0), "pending")) {
		if (krn_rows_nr(fixed) == 0)
			return krn_refuse(err, KRN_ERR_INVALID,
					  "the decision flow was never "
					  "published");
		if ((e = plan_fix(step, fixed, err)))
			return e;
	}
	return krn_job_complete(step->arena, step->db, step->job, err);
}
