/*
 * Campaigns and their runs. The documents are built by the database,
 * but for the list's.
 */

#include "base/base.h"

#include "fcgi/route_run.h"

#include "campaign/campaign.h"
#include "campaign/list.h"

enum krn_err
krn_route_run_list(struct krn_request *request, struct krn_response *response,
		   struct krn_error *err)
{
	const struct krn_run_list_fields *fields = request->fields;
	const struct krn_param params[] = {
	    krn_param_int(request->arena, fields->limit),
	    krn_param_int(request->arena, fields->offset),
	};
	const struct krn_rows *rows;
	enum krn_err e;

	krn_db_send(request->db, KRN_STMT_campaign_list, params, &rows);
	if ((e = krn_db_commit(request->db, err)))
		return e;
	response->rows = krn_campaign_list_write(rows, &response->body);
	return KRN_OK;
}

enum krn_err
krn_route_run_create(struct krn_request *request, struct krn_response *response,
		     struct krn_error *err)
{
	const struct krn_run_campaign_fields *f = request->fields;
	const struct krn_campaign_fields fields = {
	    f->decision_flow_id, f->segment_id,
	    f->name,             f->description,
	    f->status,           f->schedule_type,
	    f->schedule_day_of_week, f->schedule_day_of_month,
	    f->schedule_time,    f->schedule_timezone,
	    f->schedule_cron,    f->volume_constraints,
	    f->frequency_caps,   f->file_config,
	    f->channel_ids,
	};
	struct krn_str document;
	enum krn_err e;

	if ((e = krn_campaign_create(request->arena, request->db, &fields,
				     &document, err)))
		return e;
	krn_buf_add_str(&response->body, document);
	response->status = 201;
	response->rows = 1;
	return KRN_OK;
}

/* One document or 404. */
static enum krn_err
run_document(struct krn_request *request, struct krn_response *response,
	     enum krn_stmt stmt, const struct krn_param *params,
	     struct krn_error *err)
{
	const struct krn_rows *rows;
	enum krn_err e;

	krn_db_send(request->db, stmt, params, &rows);
	if ((e = krn_db_commit(request->db, err)))
		return e;
	if (krn_rows_nr(rows) == 0 || krn_rows_is_null(rows, 0, 0))
		return krn_refuse(err, KRN_ERR_NOTFOUND,
				  "no such campaign or run");
	krn_buf_add_str(&response->body, krn_rows_str(rows, 0, 0));
	response->rows = 1;
	return KRN_OK;
}

enum krn_err
krn_route_run_get(struct krn_request *request, struct krn_response *response,
		  struct krn_error *err)
{
	const struct krn_run_detail_fields *fields = request->fields;
	const struct krn_param params[] = {
	    krn_param_str(request->path_params[0]),
	    krn_param_int(request->arena, fields->results_limit),
	    krn_param_str(fields->results_cursor.s ? fields->results_cursor
						   : KRN_STR("")),
	};

	return run_document(request, response, KRN_STMT_campaign_get, params,
			    err);
}

enum krn_err
krn_route_run_trigger(struct krn_request *request,
		      struct krn_response *response, struct krn_error *err)
{
	struct krn_str document;
	enum krn_err e;

	if ((e = krn_campaign_trigger(request->arena, request->db,
				      request->path_params[0], "manual",
				      &document, err)))
		return e;
	krn_buf_add_str(&response->body, document);
	response->status = 201;
	response->rows = 1;
	return KRN_OK;
}

enum krn_err
krn_route_run_runs(struct krn_request *request, struct krn_response *response,
		   struct krn_error *err)
{
	const struct krn_param params[] = {
	    krn_param_str(request->path_params[0])};

	return run_document(request, response, KRN_STMT_run_list, params, err);
}

enum krn_err
krn_route_run_progress(struct krn_request *request,
		       struct krn_response *response, struct krn_error *err)
{
	const struct krn_param params[] = {
	    krn_param_str(request->path_params[0]),
	    krn_param_str(request->path_params[1])};

	return run_document(request, response, KRN_STMT_run_get, params, err);
}

/* nginx sends the file: the path is below its internal location. */
enum krn_err
krn_route_run_file(struct krn_request *request, struct krn_response *response,
		   struct krn_error *err)
{
	const struct krn_param params[] = {
	    krn_param_str(request->path_params[0]),
	    krn_param_str(request->path_params[1])};
	const struct krn_rows *rows;
	enum krn_err e;

	krn_db_send(request->db, KRN_STMT_run_get, params, &rows);
	if ((e = krn_db_commit(request->db, err)))
		return e;
	if (krn_rows_nr(rows) == 0 || krn_rows_is_null(rows, 0, 1))
		return krn_refuse(err, KRN_ERR_NOTFOUND,
				  "the run has no file");
	const struct krn_str path = krn_rows_str(rows, 0, 1);
	const bool is_csv = krn_str_has_suffix(path, KRN_STR(".csv"));
	const char *name = memrchr(path.s, '/', path.len);
	const struct krn_str location = krn_str_printf(
	    request->arena, "/_run_files/%.*s", KRN_STR_ARG(path));
	const struct krn_str disposition =
	    krn_str_printf(request->arena, "attachment; filename=\"%s\"",
			   name ? name + 1 : path.s);

	if (!location.s || !disposition.s)
		return krn_arena_fail(request->arena, err);
	krn_response_header(response, "X-Accel-Redirect", location);
	krn_response_header(response, "Content-Disposition", disposition);
	krn_response_header(response, "Content-Type",
			    is_csv ? KRN_STR("text/csv; charset=utf-8")
				   : KRN_STR("application/x-ndjson"));
	return KRN_OK;
}
