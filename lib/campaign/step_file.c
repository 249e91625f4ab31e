/*
 * The file of a run: where it lies, and its removal.
 */

#include "base/base.h"

#include "base/file.h"
#include "base/service.h"
#include "campaign/step_private.h"
#include "egress/s3.h"

#define FILE_S3 KRN_STR("s3://")

bool
step_tick(void *db)
{
	krn_service_alive();
	return krn_db_tick(db);
}

bool
step_session_tick(void *db)
{
	const struct krn_rows *rows;

	return step_tick(db) &&
	       !krn_db_exec(db, KRN_STMT_session_check, NULL, &rows, NULL);
}

static struct krn_str
file_text(const struct krn_value *file_config, const char *name)
{
	const struct krn_value *value = krn_value_find(file_config, name);

	return value && value->type == KRN_VALUE_STRING ? value->string
							: KRN_STR("");
}

enum krn_err
step_file_place(struct krn_step *step, struct krn_str run_id,
		const struct krn_value *file_config, struct krn_str *ret_path,
		struct krn_str *ret_url, struct krn_error *err)
{
	const struct krn_str path = file_text(file_config, "s3Path");
	const char *ending =
	    krn_str_eq_c(file_text(file_config, "format"), "json") ? "ndjson"
								   : "csv";

	if (krn_str_eq_c(file_text(file_config, "destination"), "s3")) {
		*ret_path = krn_str_printf(
		    step->arena, "%s%.*s%s%.*s.%s",
		    krn_str_has_prefix(path, FILE_S3) ? "" : FILE_S3.s,
		    KRN_STR_ARG(path),
		    krn_str_has_suffix(path, KRN_STR("/")) ? "" : "/",
		    KRN_STR_ARG(run_id), ending);
		*ret_url = *ret_path;
	} else {
		*ret_path = krn_str_printf(step->arena, "%.*s/%.*s.%s",
					   KRN_STR_ARG(step->job->tenant_id),
					   KRN_STR_ARG(run_id), ending);
		*ret_url =
		    krn_str_printf(step->arena, "file://%.*s/%.*s",
				   KRN_STR_ARG(step->options->run_file_dir),
				   KRN_STR_ARG(*ret_path));
	}
	return ret_path->s && ret_url->s ? KRN_OK
					 : krn_arena_fail(step->arena, err);
}

/* What the operator allows may have changed since the campaign was made. */
enum krn_err
step_file_check(struct krn_step *step, struct krn_str url,
		struct krn_error *err)
{
	struct krn_error why;
	enum krn_err e;

	if (!krn_str_has_prefix(url, FILE_S3))
		return KRN_OK;
	e = krn_s3_campaign_path_check(step->options, step->job->tenant_id, url,
				       &why);
	return e ? krn_refuse(err, e, "s3Path: %s", why.message) : KRN_OK;
}

/* Files are looked for by name: of what was held at its end no row tells. */
static enum krn_err
file_remove_local(struct krn_step *step, struct krn_str run_id,
		  struct krn_error *err)
{
	static const char *const endings[] = {"csv", "ndjson"};
	enum krn_err e;

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
step_file_remove(struct krn_step *step, struct krn_str run_id,
		 const struct krn_value *file_config, bool (*tick)(void *db),
		 struct krn_error *err)
{
	struct krn_s3_object object;
	struct krn_str path, url;
	enum krn_err e;

	if (run_id.len == 0 || krn_str_find_char(run_id, '/') >= 0)
		return KRN_OK;
	if ((e = file_remove_local(step, run_id, err)) ||
	    (e = step_file_place(step, run_id, file_config, &path, &url, err)))
		return e;
	if (!krn_str_has_prefix(url, FILE_S3))
		return KRN_OK;
	if ((e = krn_s3_path_parse(url, &object, err)))
		return e;
	return krn_s3_remove(step->options, &object, tick, step->db, err);
}
