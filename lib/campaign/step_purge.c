/*
 * What is left of runs: ledger and files of a deleted campaign's, the file of
 * one that ended without a result. The files go first: when the process dies
 * between the two, they are looked for again and are not there.
 */

#include "base/base.h"

#include "base/file.h"
#include "base/json_out.h"
#include "campaign/step.h"
#include "campaign/step_private.h"

/* Files are looked for by name: of what was held at its end no row tells. */
static enum krn_err
purge_files(struct krn_step *step, struct krn_str run_id, struct krn_error *err)
{
	static const char *const endings[] = {"csv", "ndjson"};
	enum krn_err e;

	if (run_id.len == 0 || krn_str_find_char(run_id, '/') >= 0)
		return KRN_OK;
	for (size_t i = 0; i < KRN_NR(endings); i++) {
		const struct krn_str path =
		    krn_str_printf(step->arena, "%.*s/%.*s/%.*s.%s",
				   KRN_STR_ARG(step->options->run_file_dir),
				   KRN_STR_ARG(step->job->tenant_id),
				   KRN_STR_ARG(run_id), endings[i]);

		if (!path.s)
			return krn_arena_fail(step->arena, err);
		if ((e = krn_file_remove(step->arena, path, err)))
			return e;
	}
	return KRN_OK;
}

enum krn_err
krn_step_purge(struct krn_step *step, struct krn_error *err)
{
	const struct krn_value *runs =
	    krn_value_find(step->job->payload, "runs");
	struct krn_str text;
	struct krn_buf buf;
	enum krn_err e;

	if (!runs || runs->type != KRN_VALUE_ARRAY)
		return krn_refuse(err, KRN_ERR_INVALID,
				  "the job names no runs");
	for (size_t i = 0; i < runs->array.nr; i++) {
		const struct krn_value *id =
		    krn_value_find(&runs->array.items[i], "id");

		if (id && id->type == KRN_VALUE_STRING &&
		    (e = purge_files(step, id->string, err)))
			return e;
	}
	krn_buf_init(&buf, step->arena);
	krn_json_canonical(&buf, runs);
	if ((e = krn_buf_end(&buf, &text, err)))
		return e;
	const struct krn_param params[] = {krn_param_str(text)};

	if ((e = step_begin(step, KRN_TX_WRITE, err)))
		return e;
	krn_db_send(step->db, KRN_STMT_run_purge, params, NULL);
	return krn_job_complete(step->arena, step->db, step->job, err);
}

/* While the run's row is locked: it may be about to begin anew. */
enum krn_err
krn_step_discard(struct krn_step *step, struct krn_error *err)
{
	const struct krn_param params[] = {krn_param_str(step->run_id)};
	const struct krn_rows *rows;
	enum krn_err e;

	if ((e = step_begin(step, KRN_TX_WRITE, err)) ||
	    (e = krn_db_exec(step->db, KRN_STMT_run_hold, params, &rows, err)))
		return e;
	if (krn_rows_nr(rows) &&
	    (krn_str_eq_c(krn_rows_str(rows, 0, 0), "cancelled") ||
	     krn_str_eq_c(krn_rows_str(rows, 0, 0), "failed")) &&
	    (e = purge_files(step, step->run_id, err)))
		return e;
	return krn_job_complete(step->arena, step->db, step->job, err);
}
