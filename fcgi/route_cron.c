/*
 * Cron routes: each is a job in the frame of queue/cron.h; and its ledger.
 */

#include "base/base.h"

#include "fcgi/route_cron.h"

#include "base/log.h"
#include "gitops/drift.h"
#include "lifecycle/approval.h"
#include "lifecycle/cleanup.h"
#include "lifecycle/export.h"
#include "watch/tick.h"

/* The answer tells of a failure in general; the log has its cause. */
static void
cron_log_failure(void *data, const char *job, struct krn_str tenant_id,
		 const struct krn_error *err)
{
	const struct krn_request *request = data;

	krn_log(KRN_LOG_ERROR,
		tenant_id.s ? "cron job failed for a tenant"
			    : "cron job failed in a part",
		KRN_LOG_STR("request_id", request->caller.request_id),
		KRN_LOG_C("job", job), KRN_LOG_STR("tenant", tenant_id),
		KRN_LOG_C("error", krn_err_row(err->code)->id),
		KRN_LOG_C("sqlstate", err->sqlstate),
		KRN_LOG_C("detail", err->detail));
}

static struct krn_cron
cron_of(struct krn_request *request)
{
	return (struct krn_cron){.arena = request->arena,
				 .db = request->db,
				 .options = request->options,
				 .failed = cron_log_failure,
				 .failed_data = request};
}

enum krn_err
krn_route_cron_approvals(struct krn_request *request,
			 struct krn_response *response, struct krn_error *err)
{
	struct krn_cron cron = cron_of(request);

	return krn_approval_expire(&cron, request->caller.request_id,
				   &response->body, err);
}

enum krn_err
krn_route_cron_cleanup(struct krn_request *request,
		       struct krn_response *response, struct krn_error *err)
{
	struct krn_cron cron = cron_of(request);

	return krn_cleanup_run(&cron, &response->body, err);
}

enum krn_err
krn_route_cron_export(struct krn_request *request,
		      struct krn_response *response, struct krn_error *err)
{
	const struct krn_export_fields *fields = request->fields;
	struct krn_cron cron = cron_of(request);

	return krn_export_interactions(&cron, fields->drain, &response->body,
				       err);
}

enum krn_err
krn_route_cron_drift(struct krn_request *request, struct krn_response *response,
		     struct krn_error *err)
{
	struct krn_cron cron = cron_of(request);

	return krn_drift_check(&cron, request->caller.request_id,
			       &response->body, err);
}

enum krn_err
krn_route_cron_runs(struct krn_request *request, struct krn_response *response,
		    struct krn_error *err)
{
	const struct krn_cron_run_fields *fields = request->fields;
	const struct krn_param params[] = {
	    krn_param_str(fields->job),
	    krn_param_int(request->arena, fields->limit)};
	const struct krn_rows *rows;
	enum krn_err e;

	if ((e = krn_db_exec(request->db, KRN_STMT_cron_run_list, params, &rows,
			     err)))
		return e;
	krn_buf_add_str(&response->body, krn_rows_str(rows, 0, 0));
	return KRN_OK;
}

/* A receiver's failure is its own; only what was given up wants somebody. */
static void
cron_log_delivery(void *data, const struct krn_outbox_row *row,
		  const char *reason, bool is_dead)
{
	const struct krn_request *request = data;

	krn_log(
	    KRN_LOG_WARNING, is_dead ? "delivery given up" : "delivery failed",
	    KRN_LOG_STR("request_id", request->caller.request_id),
	    KRN_LOG_STR("tenant", row->tenant_id),
	    KRN_LOG_STR("delivery", row->id),
	    KRN_LOG_STR("provider", row->provider_id),
	    KRN_LOG_INT("attempt", row->attempts), KRN_LOG_C("reason", reason));
}

enum krn_err
krn_route_tick(struct krn_request *request, struct krn_response *response,
	       struct krn_error *err)
{
	struct krn_cron cron = cron_of(request);

	return krn_tick(&cron, cron_log_delivery, &response->body, err);
}
