/*
 * What is left of runs: ledger and files of a deleted campaign's, file and
 * decisions of one that ended without a result. What is looked for again when
 * the process died meanwhile is not there.
 */

#include "base/base.h"

#include "base/json_out.h"
#include "campaign/step.h"
#include "campaign/step_private.h"

/* The ledger goes whatever becomes of the files. */
static enum krn_err
purge_ledger(struct krn_step *step, const struct krn_value *runs,
	     struct krn_error *err)
{
	struct krn_str text;
	struct krn_buf buf;
	enum krn_err e;

	krn_buf_init(&buf, step->arena);
	krn_json_canonical(&buf, runs);
	if ((e = krn_buf_end(&buf, &text, err)) ||
	    (e = step_begin(step, KRN_TX_WRITE, err)))
		return e;
	const struct krn_param params[] = {krn_param_str(text)};

	krn_db_send(step->db, KRN_STMT_run_purge, params, NULL);
	return krn_db_commit(step->db, err);
}

/* All that can be removed; told is trouble that may pass, else any. */
static enum krn_err
purge_files(struct krn_step *step, const struct krn_value *runs,
	    struct krn_error *err)
{
	enum krn_err trouble = KRN_OK;

	for (size_t i = 0; i < runs->array.nr; i++) {
		const struct krn_value *run = &runs->array.items[i];
		const struct krn_value *id = krn_value_find(run, "id");
		struct krn_error why;

		if (!id || id->type != KRN_VALUE_STRING)
			continue;
		const enum krn_err e = step_file_remove(
		    step, id->string, krn_value_find(run, "file"), step_tick,
		    &why);

		if (!e || (trouble && trouble != KRN_ERR_INVALID))
			continue;
		trouble = e;
		*err = why;
		if (e == KRN_ERR_CONFLICT)
			break;
	}
	return trouble;
}

enum krn_err
krn_step_purge(struct krn_step *step, struct krn_error *err)
{
	const struct krn_value *runs =
	    krn_value_find(step->job->payload, "runs");
	enum krn_err e;

	if (!runs || runs->type != KRN_VALUE_ARRAY)
		return krn_refuse(err, KRN_ERR_INVALID,
				  "the job names no runs");
	if ((e = purge_ledger(step, runs, err)) ||
	    (e = purge_files(step, runs, err)) ||
	    (e = step_begin(step, KRN_TX_WRITE, err)))
		return e;
	return krn_job_complete(step->arena, step->db, step->job, err);
}

/*
 * While the run's row is locked: it may be about to begin anew. One that is
 * gone with its campaign has nothing to begin.
 */
enum krn_err
krn_step_discard(struct krn_step *step, struct krn_error *err)
{
	const struct krn_param params[] = {krn_param_str(step->run_id)};
	const struct krn_rows *rows;
	enum krn_err e;

	if ((e = step_begin(step, KRN_TX_WRITE, err)) ||
	    (e = krn_db_exec(step->db, KRN_STMT_run_hold, params, &rows, err)))
		return e;
	if (krn_rows_nr(rows) == 0 ||
	    krn_str_eq_c(krn_rows_str(rows, 0, 0), "cancelled") ||
	    krn_str_eq_c(krn_rows_str(rows, 0, 0), "failed")) {
		if ((e = step_file_remove(
			 step, step->run_id,
			 krn_value_find(step->job->payload, "file"),
			 step_session_tick, err)))
			return e;
		krn_db_send(step->db, KRN_STMT_run_packs_delete, params, NULL);
	}
	return krn_job_complete(step->arena, step->db, step->job, err);
}
