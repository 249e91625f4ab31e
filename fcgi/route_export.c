/*
 * The export's cron route.
 */

#include "base/base.h"

#include "fcgi/route_export.h"

#include "base/log.h"
#include "lifecycle/export.h"

/* The answer tells of a failure in general; the log has its cause. */
static void
export_log_failure(void *data, struct krn_str tenant_id,
		   const struct krn_error *err)
{
	const struct krn_request *request = data;

	krn_log(KRN_LOG_ERROR, "export failed",
		KRN_LOG_STR("request_id", request->caller.request_id),
		KRN_LOG_STR("tenant", tenant_id),
		KRN_LOG_C("error", krn_err_row(err->code)->id),
		KRN_LOG_C("sqlstate", err->sqlstate),
		KRN_LOG_C("detail", err->detail));
}

enum krn_err
krn_route_export(struct krn_request *request, struct krn_response *response,
		 struct krn_error *err)
{
	const struct krn_export_fields *fields = request->fields;

	return krn_export_interactions(request->arena, request->db,
				       request->options, fields->drain,
				       export_log_failure, request,
				       &response->body, err);
}
