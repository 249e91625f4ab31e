/*
 * Reports: templates, schedules, runs, and what a run leaves behind.
 */

#include "base/base.h"

#include "fcgi/route_report.h"

#include "access/audit.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/id.h"
#include "base/json_in.h"
#include "fcgi/document.h"
#include "watch/report.h"

static const struct {
	const char *format, *type, *suffix;
} report_types[] = {
    {"csv", "text/csv; charset=utf-8", "csv"},
    {"html", "text/html; charset=utf-8", "html"},
    {"markdown", "text/markdown; charset=utf-8", "md"},
    {"pdf", "application/pdf", "pdf"},
};

/* A page of a tenant's names runs nothing, wherever it is opened. */
static void
report_type(struct krn_response *response, size_t type)
{
	response->content_type = report_types[type].type;
	krn_response_header(response, "Content-Security-Policy",
			    KRN_STR("default-src 'none'; style-src "
				    "'unsafe-inline'; sandbox"));
}

/* A digit of lower-case hex, as PostgreSQL writes it. */
static int
report_hex(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

static void
report_download(struct krn_response *response, struct krn_str format,
		struct krn_str hex)
{
	size_t type = 0;

	while (!krn_str_eq_c(format, report_types[type].format))
		type++;
	report_type(response, type);
	const struct krn_str disposition = krn_str_printf(
	    response->body.arena, "attachment; filename=\"report.%s\"",
	    report_types[type].suffix);

	if (disposition.s)
		krn_response_header(response, "Content-Disposition",
				    disposition);
	for (size_t i = 0; i + 1 < hex.len; i += 2)
		krn_buf_add_char(&response->body,
				 (char)(report_hex(hex.s[i]) * 16 +
					report_hex(hex.s[i + 1])));
	response->rows = 1;
}

static void
report_preview_write(struct krn_response *response,
		     const struct krn_report *report, struct krn_str format)
{
	struct krn_json_out out;

	if (format.s && krn_str_eq_c(format, "html")) {
		report_type(response, 1);
		krn_report_html(report, &response->body);
		return;
	}
	krn_json_init(&out, &response->body);
	krn_json_obj_open(&out, NULL);
	krn_json_str(&out, "templateId", report->template_id);
	krn_json_str(&out, "name", report->title);
	krn_json_time(&out, "at", report->at_us);
	krn_report_json(report, &out, "sectionsData");
	krn_json_str(&out, "narrativeOutput", report->narrative);
	krn_json_close(&out);
	krn_json_end(&out);
}

static enum krn_err
report_audit(struct krn_request *request, struct krn_str run_id,
	     struct krn_error *err)
{
	const struct krn_audit audit = {
	    .action = "report_template.run",
	    .entity_type = "report_template",
	    .entity_id = request->path_params[0],
	    .entity_name = run_id,
	};
	enum krn_err e;

	if ((e = krn_request_identify(request, err)))
		return e;
	return krn_audit_append(request->arena, request->db, &request->caller,
				&audit, err);
}

enum krn_err
krn_route_report_template_list(struct krn_request *request,
			       struct krn_response *response,
			       struct krn_error *err)
{
	return krn_document_answer(request, response,
				 KRN_STMT_report_template_list, NULL, "list",
				 err);
}

enum krn_err
krn_route_report_template_get(struct krn_request *request,
			      struct krn_response *response,
			      struct krn_error *err)
{
	const struct krn_param params[] = {
	    krn_param_str(request->path_params[0])};

	return krn_document_answer(request, response,
				 KRN_STMT_report_template_get, params,
				 "report template", err);
}

enum krn_err
krn_route_report_template_create(struct krn_request *request,
				 struct krn_response *response,
				 struct krn_error *err)
{
	return krn_object_made(request, response, &krn_report_template_kind,
			       err);
}

enum krn_err
krn_route_report_template_update(struct krn_request *request,
				 struct krn_response *response,
				 struct krn_error *err)
{
	return krn_object_changed(request, response, &krn_report_template_kind,
				  err);
}

enum krn_err
krn_route_report_template_delete(struct krn_request *request,
				 struct krn_response *response,
				 struct krn_error *err)
{
	return krn_object_gone(request, response, &krn_report_template_kind,
			       err);
}

enum krn_err
krn_route_report_schedule_list(struct krn_request *request,
			       struct krn_response *response,
			       struct krn_error *err)
{
	return krn_document_answer(request, response,
				 KRN_STMT_report_schedule_list, NULL, "list",
				 err);
}

enum krn_err
krn_route_report_schedule_get(struct krn_request *request,
			      struct krn_response *response,
			      struct krn_error *err)
{
	const struct krn_param params[] = {
	    krn_param_str(request->path_params[0])};

	return krn_document_answer(request, response,
				 KRN_STMT_report_schedule_get, params,
				 "report schedule", err);
}

enum krn_err
krn_route_report_schedule_create(struct krn_request *request,
				 struct krn_response *response,
				 struct krn_error *err)
{
	return krn_object_made(request, response, &krn_report_schedule_kind,
			       err);
}

enum krn_err
krn_route_report_schedule_update(struct krn_request *request,
				 struct krn_response *response,
				 struct krn_error *err)
{
	return krn_object_changed(request, response, &krn_report_schedule_kind,
				  err);
}

enum krn_err
krn_route_report_schedule_delete(struct krn_request *request,
				 struct krn_response *response,
				 struct krn_error *err)
{
	return krn_object_gone(request, response, &krn_report_schedule_kind,
			       err);
}

enum krn_err
krn_route_report_preview(struct krn_request *request,
			 struct krn_response *response, struct krn_error *err)
{
	const struct krn_param params[] = {
	    krn_param_str(request->path_params[0])};
	const struct krn_report_preview_fields *fields = request->fields;
	const struct krn_rows *rows;
	struct krn_report report;
	struct krn_value template;
	enum krn_err e;

	if ((e = krn_db_exec(request->db, KRN_STMT_report_template_read, params,
			     &rows, err)))
		return e;
	if (krn_rows_nr(rows) == 0)
		return krn_refuse(err, KRN_ERR_NOTFOUND,
				  "no such report template");
	if ((e = krn_json_parse_stored(request->arena, krn_rows_str(rows, 0, 0),
				       &template, err)) ||
	    (e = krn_report_read(request->arena, request->db, &template,
				 krn_rows_str(rows, 0, 1), krn_clock_us(),
				 &report, err)))
		return e;
	response->rows = (int64_t)report.nr;
	report_preview_write(response, &report, fields->format);
	return KRN_OK;
}

enum krn_err
krn_route_report_run_now(struct krn_request *request,
			 struct krn_response *response, struct krn_error *err)
{
	const struct krn_str run_id = krn_id_new(request->arena, "rr");
	const struct krn_param params[] = {
	    krn_param_str(request->path_params[0]), krn_param_str(run_id)};
	const struct krn_rows *rows;
	enum krn_err e;

	if (!run_id.s)
		return krn_arena_fail(request->arena, err);
	if ((e = krn_db_exec(request->db, KRN_STMT_report_run_insert, params,
			     &rows, err)))
		return e;
	if (krn_rows_nr(rows) == 0)
		return krn_refuse(err, KRN_ERR_NOTFOUND,
				  "no such report template");
	krn_report_run_queue(request->arena, request->db, run_id);
	if ((e = report_audit(request, run_id, err)))
		return e;
	krn_buf_printf(&response->body, "{\"runId\":\"%.*s\",\"run\":%.*s}",
		       KRN_STR_ARG(run_id),
		       KRN_STR_ARG(krn_rows_str(rows, 0, 0)));
	response->status = 202;
	return KRN_OK;
}

enum krn_err
krn_route_report_run_list(struct krn_request *request,
			  struct krn_response *response, struct krn_error *err)
{
	const struct krn_report_run_list_fields *fields = request->fields;
	const struct krn_param params[] = {
	    krn_param_int(request->arena, fields->limit),
	    krn_param_int(request->arena, fields->offset),
	    krn_param_str(fields->template_id),
	};

	return krn_document_answer(request, response, KRN_STMT_report_run_list,
				 params, "list", err);
}

enum krn_err
krn_route_report_run_get(struct krn_request *request,
			 struct krn_response *response, struct krn_error *err)
{
	const struct krn_param params[] = {
	    krn_param_str(request->path_params[0])};

	return krn_document_answer(request, response, KRN_STMT_report_run_get,
				 params, "run of a report", err);
}

enum krn_err
krn_route_report_artifact(struct krn_request *request,
			  struct krn_response *response, struct krn_error *err)
{
	const struct krn_param params[] = {
	    krn_param_str(request->path_params[0]),
	    krn_param_str(request->path_params[1])};
	const struct krn_rows *rows;
	enum krn_err e;

	krn_db_send(request->db, KRN_STMT_report_artifact_get, params, &rows);
	if ((e = krn_db_commit(request->db, err)))
		return e;
	if (krn_rows_nr(rows) == 0)
		return krn_refuse(err, KRN_ERR_NOTFOUND,
				  "the run has no such artifact");
	report_download(response, request->path_params[1],
			krn_rows_str(rows, 0, 0));
	return KRN_OK;
}

enum krn_err
krn_route_report_link(struct krn_request *request,
		      struct krn_response *response, struct krn_error *err)
{
	const struct krn_str token = request->path_params[0];
	unsigned char hash[KRN_SHA256_BYTES];
	const struct krn_rows *rows;
	enum krn_err e;

	krn_sha256(token.s, token.len, hash);
	const struct krn_param params[] = {
	    krn_param_bytes(request->arena, hash, sizeof(hash))};

	krn_db_send(request->db, KRN_STMT_report_link_open, params, &rows);
	if ((e = krn_db_commit(request->db, err)))
		return e;
	if (krn_rows_nr(rows) == 0)
		return krn_refuse(err, KRN_ERR_NOTFOUND,
				  "the link leads nowhere, or no longer");
	report_download(response, krn_rows_str(rows, 0, 0),
			krn_rows_str(rows, 0, 1));
	return KRN_OK;
}
