/*
 * The audit log: pages, exports, verification.
 */

#include "base/base.h"

#include "fcgi/route_audit.h"

#include "access/audit_verify.h"
#include "base/clock.h"
#include "base/csv_out.h"
#include "base/json_out.h"

/* Columns of audit_list. */
enum {
	AUDIT_TOTAL,
	AUDIT_EXACT,
	AUDIT_DOCUMENT,
	AUDIT_CONTROL,
	AUDIT_FIRST_CELL, /* id, and what follows it */
	AUDIT__MAX = 18,
};

static const char *const audit_cells[AUDIT__MAX - AUDIT_FIRST_CELL] = {
    "id",         "timestamp", "action",   "entityType",    "entityId",
    "entityName", "userId",    "userName", "requestId",     "changes",
    "before",     "after",     "prevHash", "integrityHash",
};

/* Trust services criteria. Source: AICPA TSP section 100, 2017. */
static const struct {
	const char *control, *title;
} audit_controls[] = {
    {"CC6.2", "Access is granted and removed"},
    {"CC7.4", "Incidents are responded to"},
    {"CC8.1", "Changes are authorized and tracked"},
    {"C1.1", "Confidential data is kept as long as it must be"},
    {"C1.2", "Confidential data is disposed of"},
    {"P4.3", "Personal data is disposed of"},
};

/*
 * A time, or a day: its first moment as the beginning of a period, its last as
 * the end. .s NULL: open.
 */
static enum krn_err
audit_time(struct krn_arena *arena, const char *name, struct krn_str text,
	   bool is_end, struct krn_str *ret, struct krn_error *err)
{
	int64_t us;

	*ret = text;
	if (!text.s)
		return KRN_OK;
	if (text.len == 10 &&
	    !(*ret = krn_str_printf(arena, "%.*sT%s", KRN_STR_ARG(text),
				    is_end ? "23:59:59.999Z" : "00:00:00.000Z"))
		 .s)
		return krn_arena_fail(arena, err);
	if (krn_time_parse(*ret, &us, NULL))
		return krn_refuse(err, KRN_ERR_INVALID,
				  "%s is not a time of ISO 8601", name);
	return KRN_OK;
}

static enum krn_err
audit_period(struct krn_arena *arena, struct krn_str start, struct krn_str end,
	     struct krn_audit_scope *ret, struct krn_error *err)
{
	enum krn_err e;

	*ret = (struct krn_audit_scope){.newest = 0};
	if ((e = audit_time(arena, "startDate", start, false, &ret->from, err)))
		return e;
	return audit_time(arena, "endDate", end, true, &ret->to, err);
}

/* What is wanted of the log; texts may have .s NULL: any. */
struct audit_filter {
	int64_t limit, offset;
	struct krn_str action, entity_type, entity_id, user_id;
	struct krn_audit_scope period;
	int64_t count_max; /* how far they are counted */
};

/* A page says of many that they are many; who exports wants them all. */
#define AUDIT_COUNT_PAGE 10000
#define AUDIT_COUNT_ALL INT64_C(1000000000000)

static enum krn_err
audit_rows(struct krn_request *request, const struct audit_filter *filter,
	   const struct krn_rows **ret, struct krn_error *err)
{
	const struct krn_param params[] = {
	    krn_param_int(request->arena, filter->limit),
	    krn_param_int(request->arena, filter->offset),
	    krn_param_str(filter->action),
	    krn_param_str(filter->entity_type),
	    krn_param_str(filter->entity_id),
	    krn_param_str(filter->user_id),
	    krn_param_str(filter->period.from),
	    krn_param_str(filter->period.to),
	    krn_param_int(request->arena, filter->count_max),
	};

	krn_db_send(request->db, KRN_STMT_plan_by_values, NULL, NULL);
	return krn_db_exec(request->db, KRN_STMT_audit_list, params, ret, err);
}

enum krn_err
krn_route_audit_list(struct krn_request *request, struct krn_response *response,
		     struct krn_error *err)
{
	const struct krn_audit_list_fields *f = request->fields;
	struct audit_filter filter = {
	    .limit = f->limit,
	    .offset = (f->page - 1) * f->limit,
	    .action = f->action,
	    .entity_type = f->entity_type,
	    .entity_id = f->entity_id,
	    .user_id = f->user_id,
	    .count_max = AUDIT_COUNT_PAGE,
	};
	const struct krn_rows *rows;
	struct krn_json_out out;
	enum krn_err e;

	/* the caller's identity comes before what is wrong with the dates */
	if ((e = krn_request_identify(request, err)) ||
	    (e = audit_period(request->arena, f->start_date, f->end_date,
			      &filter.period, err)) ||
	    (e = audit_rows(request, &filter, &rows, err)))
		return e;
	krn_json_init(&out, &response->body);
	krn_json_obj_open(&out, NULL);
	krn_json_arr_open(&out, "logs");
	for (size_t i = 0; i < krn_rows_nr(rows); i++)
		if (!krn_rows_is_null(rows, i, AUDIT_DOCUMENT))
			krn_json_raw(&out, NULL,
				     krn_rows_str(rows, i, AUDIT_DOCUMENT));
	krn_json_close(&out);
	krn_json_int(&out, "total", krn_rows_int(rows, 0, AUDIT_TOTAL));
	if (!krn_rows_bool(rows, 0, AUDIT_EXACT))
		krn_json_bool(&out, "totalExact", false);
	krn_json_int(&out, "page", f->page);
	krn_json_int(&out, "limit", f->limit);
	krn_json_close(&out);
	krn_json_end(&out);
	response->rows = (int64_t)krn_rows_nr(rows);
	return KRN_OK;
}

/* The two reasons that the API knows. */
static const char *
audit_reason(enum krn_audit_wrong wrong)
{
	return krn_audit_wrong_name(wrong == KRN_AUDIT_HASH ? KRN_AUDIT_HASH
							    : KRN_AUDIT_LINK);
}

enum krn_err
krn_route_audit_verify(struct krn_request *request,
		       struct krn_response *response, struct krn_error *err)
{
	const struct krn_audit_verify_fields *f = request->fields;
	const struct krn_audit_scope scope = {.newest = f->limit};
	struct krn_audit_report *report =
	    krn_arena_make(request->arena, struct krn_audit_report);
	struct krn_json_out out;
	enum krn_err e;

	if (!report)
		return krn_arena_fail(request->arena, err);
	if ((e = krn_request_identify(request, err)) ||
	    (e = krn_audit_verify(request->arena, request->db,
				  request->caller.tenant_id, &scope, report,
				  err)))
		return e;
	const struct krn_audit_finding *first = &report->findings[0];

	krn_json_init(&out, &response->body);
	krn_json_obj_open(&out, NULL);
	krn_json_bool(&out, "intact", report->findings_nr == 0);
	krn_json_int(&out, "verified",
		     report->findings_nr < report->rows
			 ? report->rows - report->findings_nr
			 : 0);
	krn_json_int(&out, "total", report->total);
	krn_json_int(&out, "scanned", report->rows);
	if (report->findings_nr) {
		krn_json_str(&out, "brokenAtId", first->id);
		krn_json_c(&out, "brokenReason", audit_reason(first->wrong));
		krn_json_int(&out, "brokenAtSeq", first->seq);
	}
	krn_json_close(&out);
	krn_json_end(&out);
	response->rows = report->rows;
	return KRN_OK;
}

/* Export */

static void
audit_write_csv(struct krn_buf *to, const struct krn_rows *rows)
{
	for (size_t c = 0; c < KRN_NR(audit_cells); c++)
		krn_buf_printf(to, "%s%s", c ? "," : "", audit_cells[c]);
	krn_buf_add_c(to, "\r\n");
	for (size_t r = 0; r < krn_rows_nr(rows); r++) {
		if (krn_rows_is_null(rows, r, AUDIT_DOCUMENT))
			continue;
		for (size_t c = 0; c < KRN_NR(audit_cells); c++) {
			if (c)
				krn_buf_add_char(to, ',');
			krn_csv_cell(
			    to, krn_rows_str(rows, r, AUDIT_FIRST_CELL + c),
			    false);
		}
		krn_buf_add_c(to, "\r\n");
	}
}

static enum krn_err
audit_attach(struct krn_request *request, struct krn_response *response,
	     struct krn_error *err)
{
	const struct krn_str name = krn_str_printf(
	    request->arena, "attachment; filename=\"audit-%.*s.csv\"",
	    KRN_STR_ARG(request->caller.tenant_id));

	if (!name.s)
		return krn_arena_fail(request->arena, err);
	krn_response_header(response, "Content-Disposition", name);
	response->content_type = "text/csv; charset=utf-8";
	return KRN_OK;
}

/* {"verified", "recordsChecked", "chainIntact"} */
static void
audit_write_integrity(struct krn_json_out *out,
		      const struct krn_audit_report *report)
{
	krn_json_bool(out, "verified", report->findings_nr == 0);
	krn_json_int(out, "recordsChecked", report->rows);
	krn_json_bool(out, "chainIntact", report->findings_nr == 0);
}

/* Which control the rows are evidence for, and whether the chain holds. */
static void
audit_write_soc2(struct krn_json_out *out, const struct krn_rows *rows,
		 const struct krn_audit_report *report)
{
	krn_json_c(out, "report", "soc2");
	krn_json_obj_open(out, "integrity");
	audit_write_integrity(out, report);
	krn_json_close(out);
	krn_json_arr_open(out, "controls");
	for (size_t i = 0; i < KRN_NR(audit_controls); i++) {
		int64_t events = 0;

		for (size_t r = 0; r < krn_rows_nr(rows); r++) {
			const struct krn_str control =
			    krn_rows_str(rows, r, AUDIT_CONTROL);

			events +=
			    control.s &&
			    krn_str_eq_c(control, audit_controls[i].control);
		}
		krn_json_obj_open(out, NULL);
		krn_json_c(out, "control", audit_controls[i].control);
		krn_json_c(out, "title", audit_controls[i].title);
		krn_json_int(out, "events", events);
		krn_json_close(out);
	}
	krn_json_close(out);
}

static void
audit_write_json(struct krn_buf *to, const struct krn_audit_export_fields *f,
		 const struct krn_rows *rows,
		 const struct krn_audit_report *report)
{
	struct krn_json_out out;

	krn_json_init(&out, to);
	krn_json_obj_open(&out, NULL);
	if (report) {
		audit_write_soc2(&out, rows, report);
		krn_json_str(&out, "startDate", f->start_date);
		krn_json_str(&out, "endDate", f->end_date);
	}
	krn_json_arr_open(&out, "data");
	for (size_t r = 0; r < krn_rows_nr(rows); r++) {
		const struct krn_str row =
		    krn_rows_str(rows, r, AUDIT_DOCUMENT);

		if (!row.s)
			continue;
		if (!report) {
			krn_json_raw(&out, NULL, row);
			continue;
		}
		krn_json_obj_open(&out, NULL);
		krn_json_str(&out, "control",
			     krn_rows_str(rows, r, AUDIT_CONTROL));
		krn_json_raw(&out, "event", row);
		krn_json_close(&out);
	}
	krn_json_close(&out);
	krn_json_int(&out, "total", krn_rows_int(rows, 0, AUDIT_TOTAL));
	krn_json_time(&out, "exportedAt", krn_clock_us());
	krn_json_close(&out);
	krn_json_end(&out);
}

enum krn_err
krn_route_audit_export(struct krn_request *request,
		       struct krn_response *response, struct krn_error *err)
{
	const struct krn_audit_export_fields *f = request->fields;
	const bool is_csv = f->format.s && krn_str_eq_c(f->format, "csv");
	const bool is_soc2 = f->format.s && krn_str_eq_c(f->format, "soc2");
	struct krn_audit_report *report = NULL;
	struct audit_filter filter = {
	    .limit = f->limit,
	    .offset = f->offset,
	    .action = f->action,
	    .entity_type = f->entity_type,
	    .count_max = AUDIT_COUNT_ALL,
	};
	const struct krn_rows *rows;
	enum krn_err e;

	if ((e = krn_request_identify(request, err)) ||
	    (e = audit_period(request->arena, f->start_date, f->end_date,
			      &filter.period, err)) ||
	    (e = audit_rows(request, &filter, &rows, err)))
		return e;
	response->rows = (int64_t)krn_rows_nr(rows);
	if (is_csv) {
		audit_write_csv(&response->body, rows);
		return audit_attach(request, response, err);
	}
	if (is_soc2) {
		report =
		    krn_arena_make(request->arena, struct krn_audit_report);
		if (!report)
			return krn_arena_fail(request->arena, err);
		if ((e = krn_audit_verify(request->arena, request->db,
					  request->caller.tenant_id,
					  &filter.period, report, err)))
			return e;
	}
	audit_write_json(&response->body, f, rows, report);
	return KRN_OK;
}

enum krn_err
krn_route_audit_check(struct krn_request *request,
		      struct krn_response *response, struct krn_error *err)
{
	const struct krn_audit_check_fields *f = request->fields;
	struct krn_audit_report *report =
	    krn_arena_make(request->arena, struct krn_audit_report);
	struct krn_audit_scope period;
	struct krn_json_out out;
	enum krn_err e;

	if (!report)
		return krn_arena_fail(request->arena, err);
	if ((e = krn_request_identify(request, err)) ||
	    (e = audit_period(request->arena, f->start_date, f->end_date,
			      &period, err)) ||
	    (e = krn_audit_verify(request->arena, request->db,
				  request->caller.tenant_id, &period, report,
				  err)))
		return e;
	krn_json_init(&out, &response->body);
	krn_json_obj_open(&out, NULL);
	audit_write_integrity(&out, report);
	krn_json_str(&out, "startDate", f->start_date);
	krn_json_str(&out, "endDate", f->end_date);
	krn_json_close(&out);
	krn_json_end(&out);
	response->rows = report->rows;
	return KRN_OK;
}
