/*
 * Campaigns and their runs. The documents are built by the database,
 * but for the list's.
 */

#include "base/base.h"

#include "fcgi/route_run.h"

#include "base/clock.h"
#include "base/json_out.h"
#include "base/log.h"
#include "campaign/campaign.h"
#include "campaign/list.h"
#include "campaign/run.h"
#include "egress/s3.h"
#include "fcgi/document.h"
#include "fcgi/spawn.h"

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

/* The body's fields, as the domain wants them. */
static struct krn_campaign_fields
run_fields(const struct krn_request *request)
{
	const struct krn_run_campaign_fields *f = request->fields;

	return (struct krn_campaign_fields){
	    f->decision_flow_id,
	    f->segment_id,
	    f->name,
	    f->description,
	    f->status,
	    f->schedule_type,
	    f->schedule_day_of_week,
	    f->schedule_day_of_month,
	    f->schedule_time,
	    f->schedule_timezone,
	    f->schedule_cron,
	    f->volume_constraints,
	    f->frequency_caps,
	    f->file_config,
	    f->channel_ids,
	};
}

/* The answer of a call that changed something. */
static void
run_answer(struct krn_response *response, int status, struct krn_str document)
{
	krn_buf_add_str(&response->body, document);
	response->status = status;
	response->rows = 1;
}

enum krn_err
krn_route_run_create(struct krn_request *request, struct krn_response *response,
		     struct krn_error *err)
{
	const struct krn_campaign_fields fields = run_fields(request);
	struct krn_str document;
	enum krn_err e;

	if ((e = krn_request_identify(request, err)) ||
	    (e = krn_campaign_create(request->arena, request->db,
				     request->options, &request->caller,
				     &fields, &document, err)))
		return e;
	run_answer(response, 201, document);
	return KRN_OK;
}

enum krn_err
krn_route_run_update(struct krn_request *request, struct krn_response *response,
		     struct krn_error *err)
{
	struct krn_campaign_fields fields = run_fields(request);
	struct krn_str document;
	enum krn_err e;

	if ((e = krn_request_identify(request, err)) ||
	    (e = krn_campaign_update(request->arena, request->db,
				     request->options, &request->caller,
				     request->path_params[0], &fields,
				     &document, err)))
		return e;
	run_answer(response, 200, document);
	return KRN_OK;
}

enum krn_err
krn_route_run_delete(struct krn_request *request, struct krn_response *response,
		     struct krn_error *err)
{
	const struct krn_run_delete_fields *fields = request->fields;

	enum krn_err e;

	response->status = 204;
	if ((e = krn_request_identify(request, err)))
		return e;
	return krn_campaign_delete(request->arena, request->db,
				   &request->caller, request->path_params[0],
				   fields->force, err);
}

static enum krn_err
run_move(struct krn_request *request, struct krn_response *response,
	 enum krn_run_move move, struct krn_error *err)
{
	struct krn_str document;
	enum krn_err e;

	if ((e = krn_request_identify(request, err)) ||
	    (e = krn_run_move(request->arena, request->db, &request->caller,
			      request->path_params[0], request->path_params[1],
			      move, &document, err)))
		return e;
	run_answer(response, 202, document);
	return KRN_OK;
}

enum krn_err
krn_route_run_pause(struct krn_request *request, struct krn_response *response,
		    struct krn_error *err)
{
	return run_move(request, response, KRN_RUN_PAUSE, err);
}

enum krn_err
krn_route_run_resume(struct krn_request *request, struct krn_response *response,
		     struct krn_error *err)
{
	return run_move(request, response, KRN_RUN_RESUME, err);
}

enum krn_err
krn_route_run_cancel(struct krn_request *request, struct krn_response *response,
		     struct krn_error *err)
{
	return run_move(request, response, KRN_RUN_CANCEL, err);
}

/*
 * The run is queued and committed, then it is seen to that somebody takes it:
 * what goes wrong there is the log's, the run stays where a worker finds it.
 */
enum krn_err
krn_route_run_inline(struct krn_request *request, struct krn_response *response,
		     struct krn_error *err)
{
	const struct krn_run_inline_fields *fields = request->fields;
	struct krn_error why = {.code = KRN_OK};
	const struct krn_rows *alive;
	struct krn_json_out out;
	struct krn_str run_id;
	enum krn_err e;

	if ((e = krn_request_identify(request, err)) ||
	    (e = krn_run_inline(request->arena, request->db, &request->caller,
				fields->run_id, fields->decision_flow_id,
				fields->segment_view_name, &run_id, err)))
		return e;
	krn_db_send(request->db, KRN_STMT_worker_alive, NULL, &alive);
	krn_json_init(&out, &response->body);
	krn_json_obj_open(&out, NULL);
	krn_json_c(&out, "status", "executing");
	krn_json_str(&out, "runId", run_id);
	krn_json_close(&out);
	krn_json_end(&out);
	if ((e = krn_request_commit(request, response, err)))
		return e;
	if (!krn_rows_bool(alive, 0, 0) && krn_spawn_worker(&why))
		krn_log_error(KRN_LOG_ERROR, "no worker for an inline run",
			      &why);
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

	return krn_document_answer(request, response, KRN_STMT_campaign_get,
				   params, "campaign or run", err);
}

enum krn_err
krn_route_run_trigger(struct krn_request *request,
		      struct krn_response *response, struct krn_error *err)
{
	struct krn_str document;
	enum krn_err e;

	if ((e = krn_request_identify(request, err)) ||
	    (e = krn_run_trigger(request->arena, request->db, &request->caller,
				 request->path_params[0], "manual", &document,
				 err)))
		return e;
	run_answer(response, 201, document);
	return KRN_OK;
}

enum krn_err
krn_route_run_runs(struct krn_request *request, struct krn_response *response,
		   struct krn_error *err)
{
	const struct krn_param params[] = {
	    krn_param_str(request->path_params[0])};

	return krn_document_answer(request, response, KRN_STMT_run_list, params,
				   "campaign or run", err);
}

enum krn_err
krn_route_run_progress(struct krn_request *request,
		       struct krn_response *response, struct krn_error *err)
{
	const struct krn_param params[] = {
	    krn_param_str(request->path_params[0]),
	    krn_param_str(request->path_params[1])};

	return krn_document_answer(request, response, KRN_STMT_run_get, params,
				   "campaign or run", err);
}

/* How long a link to S3 may be used. Source: contract 5. */
#define RUN_LINK_SECONDS 300

/* The file is in S3: whoever asks is sent there. */
static enum krn_err
run_file_link(struct krn_request *request, struct krn_response *response,
	      struct krn_str path, struct krn_str disposition,
	      struct krn_error *err)
{
	struct krn_s3_object object;
	struct krn_str link;
	enum krn_err e;

	if ((e = krn_s3_path_parse(path, &object, err)) ||
	    (e = krn_s3_link(request->arena, request->options, &object,
			     krn_clock_us(), RUN_LINK_SECONDS, disposition,
			     &link, err)))
		return e;
	response->status = 303;
	krn_response_header(response, "Location", link);
	return KRN_OK;
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
		return krn_refuse(err, KRN_ERR_NOTFOUND, "the run has no file");
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
	if (krn_str_has_prefix(path, KRN_STR("s3://")))
		return run_file_link(request, response, path, disposition, err);
	krn_response_header(response, "X-Accel-Redirect", location);
	krn_response_header(response, "Content-Disposition", disposition);
	krn_response_header(response, "Content-Type",
			    is_csv ? KRN_STR("text/csv; charset=utf-8")
				   : KRN_STR("application/x-ndjson"));
	return KRN_OK;
}
