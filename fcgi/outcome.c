/*
 * The end of a request.
 */

#include "base/base.h"

#include "fcgi/outcome.h"

#include "base/clock.h"
#include "base/json_out.h"
#include "base/log.h"
#include "base/registry.h"
#include "fcgi/match.h"

/* The problems that there is to list, and how many there are. */
static void
outcome_problems(struct krn_json_out *out, const struct krn_problems *problems)
{
	if (!problems || !problems->nr)
		return;
	krn_json_arr_open(out, "details");
	for (size_t i = 0; i < problems->nr && i < KRN_PROBLEM_MAX; i++) {
		const struct krn_problem *p = &problems->list[i];

		krn_json_obj_open(out, NULL);
		krn_json_c(out, "field", p->field);
		krn_json_c(out, "message", p->message);
		krn_json_close(out);
	}
	krn_json_close(out);
	krn_json_int(out, "problems", (int64_t)problems->nr);
}

void
krn_outcome_error(const struct krn_request *request,
		  struct krn_response *response, const struct krn_error *err)
{
	const struct krn_err_row *row = krn_err_row(err->code);
	struct krn_json_out out;

	response->status = row->http;
	response->content_type = "application/json";
	krn_buf_clear(&response->body);
	krn_json_init(&out, &response->body);
	krn_json_obj_open(&out, NULL);
	krn_json_obj_open(&out, "error");
	krn_json_c(&out, "code", row->wire);
	krn_json_c(&out, "message",
		   err->message[0] ? err->message : row->message);
	krn_json_int(&out, "status", row->http);
	krn_json_str(&out, "requestId", request->caller.request_id);
	outcome_problems(&out, err->problems);
	krn_json_close(&out);
	krn_json_close(&out);
	krn_json_end(&out);
	if (err->code == KRN_ERR_UNAUTHORIZED)
		krn_response_header(response, "WWW-Authenticate",
				    KRN_STR("Bearer"));
	if (err->code == KRN_ERR_UNAVAILABLE)
		krn_response_header(response, "Retry-After", KRN_STR("2"));
}

void
krn_outcome_log(const struct krn_outcome *outcome,
		const struct krn_request *request,
		const struct krn_response *response,
		const struct krn_error *err, bool is_error)
{
	const enum krn_log_level level =
	    response->status >= 500 || is_error ? KRN_LOG_ERROR : KRN_LOG_INFO;

	/* a 501 and a 503 are as planned */
	krn_log(
	    response->status == 501 || response->status == 503 ? KRN_LOG_WARNING
							       : level,
	    "request", KRN_LOG_STR("request_id", request->caller.request_id),
	    KRN_LOG_C("route", request->route ? request->route->name : "none"),
	    KRN_LOG_INT("status", response->status),
	    KRN_LOG_STR("tenant", request->caller.tenant_id),
	    KRN_LOG_C("error", err->code ? krn_err_row(err->code)->id : "-"),
	    KRN_LOG_C("sqlstate", err->code ? err->sqlstate : ""),
	    KRN_LOG_C("detail", err->code ? err->detail : ""),
	    KRN_LOG_INT("duration_us",
			krn_clock_monotonic_us() - outcome->start_us),
	    KRN_LOG_INT("db_us", krn_db_spent_us(request->db)),
	    KRN_LOG_INT("rows", response->rows),
	    KRN_LOG_INT("bytes", (int64_t)response->body.len));
}

void
krn_outcome_measure(const struct krn_outcome *outcome,
		    const struct krn_request *request,
		    const struct krn_response *response)
{
	const char *pool = outcome->pool == KRN_POOL_API ? "api" : "cron";
	const char *route = request->route ? request->route->name : "none";
	const char *method = krn_method_name(request->method);
	char status[8];

	snprintf(status, sizeof(status), "%d", response->status);
	krn_registry_add(KRN_REGISTRY_HTTP_REQUESTS,
			 (const char *[]){pool, route, status}, 1);
	krn_registry_observe(KRN_REGISTRY_HTTP_SECONDS,
			     (const char *[]){pool, method, route, status},
			     krn_clock_monotonic_us() - outcome->start_us);
	krn_registry_add(KRN_REGISTRY_DATABASE_SECONDS, (const char *[]){pool},
			 krn_db_total_us(request->db) - outcome->database_us);
}
