/*
 * What is left of runs whose campaign was deleted: ledger and files. The
 * files go first: when the process dies between the two, they are looked for
 * again and are not there.
 */

#include "base/base.h"

#include <errno.h>
#include <unistd.h>

#include "base/json_out.h"
#include "campaign/step.h"
#include "campaign/step_private.h"

/* A file is looked for by its name: a run that was held at its end may have
 * left one that no row tells of. */
static enum krn_err
purge_files(struct krn_step *step, const struct krn_value *run,
	    struct krn_error *err)
{
	static const char *const endings[] = {"csv", "ndjson"};
	const struct krn_value *id = krn_value_find(run, "id");

	if (!id || id->type != KRN_VALUE_STRING ||
	    krn_str_find_char(id->string, '/') >= 0)
		return KRN_OK;
	for (size_t i = 0; i < KRN_NR(endings); i++) {
		const struct krn_str path =
		    krn_str_printf(step->arena, "%.*s/%.*s/%.*s.%s",
				   KRN_STR_ARG(step->options->run_file_dir),
				   KRN_STR_ARG(step->job->tenant_id),
				   KRN_STR_ARG(id->string), endings[i]);

		if (!path.s)
			return krn_arena_fail(step->arena, err);
		if (unlink(path.s) != 0 && errno != ENOENT)
			return krn_fail_errno(err, "could not remove %s",
					      path.s);
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
	for (size_t i = 0; i < runs->array.nr; i++)
		if ((e = purge_files(step, &runs->array.items[i], err)))
			return e;
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
