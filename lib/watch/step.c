/*
 * Jobs of watching: the runs of reports.
 */

#include "base/base.h"

#include "watch/step.h"

#include "watch/report.h"

bool
krn_watch_step_is(const struct krn_job *job)
{
	return krn_str_eq_c(job->kind, KRN_REPORT_JOB);
}

enum krn_err
krn_watch_step_run(struct krn_arena *arena, struct krn_db *db,
		   const struct krn_options *options, const struct krn_job *job,
		   struct krn_error *err)
{
	const enum krn_err e = krn_report_run(arena, db, options, job, err);

	krn_db_rollback(db);
	return e;
}

enum krn_err
krn_watch_step_retry(struct krn_arena *arena, struct krn_db *db,
		     const struct krn_job *job, struct krn_str detail,
		     int64_t *ret_pause_us, struct krn_error *err)
{
	enum krn_err e;

	if ((e = krn_db_begin(db, arena, KRN_TX_WRITE, err)))
		return e;
	krn_tenant_set(db, job->tenant_id);
	if ((e = krn_job_retry(arena, db, job, detail, ret_pause_us, err))) {
		krn_db_rollback(db);
		return e;
	}
	return krn_db_commit(db, err);
}

enum krn_err
krn_watch_step_fail(struct krn_arena *arena, struct krn_db *db,
		    const struct krn_job *job, struct krn_str reason,
		    struct krn_error *err)
{
	const struct krn_param params[] = {
	    krn_param_str(krn_form_text(job->payload, "runId")),
	    krn_param_c("failed"),
	    krn_param_null(),
	    krn_param_str(reason),
	    krn_param_null(),
	};
	enum krn_err e;

	if ((e = krn_db_begin(db, arena, KRN_TX_WRITE, err)))
		return e;
	krn_tenant_set(db, job->tenant_id);
	if ((e = krn_job_bury(arena, db, job, reason, err))) {
		krn_db_rollback(db);
		return e;
	}
	krn_db_send(db, KRN_STMT_report_run_end, params, NULL);
	return krn_db_commit(db, err);
}
