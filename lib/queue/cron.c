/*
 * The frame of cron jobs.
 */

#include "base/base.h"

#include "queue/cron.h"

#include "base/clock.h"
#include "base/id.h"
#include "queue/job.h"

enum krn_err
krn_cron_begin(struct krn_cron *cron, enum krn_tx tx, struct krn_str tenant_id,
	       struct krn_error *err)
{
	enum krn_err e;

	if ((e = krn_db_begin(cron->db, cron->batch, tx, err)))
		return e;
	krn_tenant_set(cron->db, tenant_id);
	return KRN_OK;
}

/* In a transaction. */
static enum krn_err
cron_held(struct krn_cron *cron, struct krn_error *err)
{
	const struct krn_param lock[] = {krn_param_c(cron->job->name)};
	const struct krn_rows *rows;
	enum krn_err e;

	if ((e = krn_db_exec(cron->db, KRN_STMT_cron_lock, lock, &rows, err)))
		return e;
	return krn_rows_bool(rows, 0, 1)
		   ? KRN_OK
		   : krn_fail(err, KRN_ERR_UNAVAILABLE,
			      "the session that had the lock of %s was lost",
			      cron->job->name);
}

enum krn_err
krn_cron_hold(struct krn_cron *cron, struct krn_error *err)
{
	enum krn_err e;

	if (krn_db_in_transaction(cron->db))
		return cron_held(cron, err);
	if ((e = krn_db_begin(cron->db, cron->batch, KRN_TX_WRITE, err)))
		return e;
	if ((e = cron_held(cron, err))) {
		krn_db_rollback(cron->db);
		return e;
	}
	return krn_db_commit(cron->db, err);
}

bool
krn_cron_is_over(struct krn_cron *cron)
{
	if (krn_clock_monotonic_us() < cron->deadline_us)
		return false;
	cron->complete = false;
	return true;
}

const char *
krn_cron_message(const struct krn_error *err)
{
	return err->message[0] ? err->message : krn_err_row(err->code)->message;
}

/*
 * Take the job's lock; *ret_tenants is NULL when another session has it. The
 * first time, with `id`, the call is noted and the tenants are read.
 */
static enum krn_err
cron_lock(struct krn_cron *cron, const char *name, const struct krn_str *id,
	  bool *ret_taken, const struct krn_rows **ret_tenants,
	  struct krn_error *err)
{
	const struct krn_param lock[] = {krn_param_c(name)};
	const struct krn_rows *rows;
	enum krn_err e;

	if ((e = krn_db_begin(cron->db, cron->arena, KRN_TX_WRITE, err)) ||
	    (e = krn_db_exec(cron->db, KRN_STMT_cron_lock, lock, &rows, err)))
		return e;
	*ret_taken = krn_rows_bool(rows, 0, 0);
	if (id) {
		const struct krn_param begin[] = {krn_param_str(*id),
						  krn_param_c(name),
						  krn_param_bool(!*ret_taken)};

		krn_db_send(cron->db, KRN_STMT_cron_begin, begin, NULL);
		if (*ret_taken)
			krn_db_send(cron->db, KRN_STMT_tenant_list, NULL,
				    ret_tenants);
	}
	return krn_db_commit(cron->db, err);
}

static void
cron_unlock(struct krn_cron *cron, const char *name)
{
	const struct krn_param lock[] = {krn_param_c(name)};

	if (krn_db_begin(cron->db, cron->arena, KRN_TX_WRITE, NULL))
		return; /* the session is gone, and its lock with it */
	krn_db_send(cron->db, KRN_STMT_cron_unlock, lock, NULL);
	(void)!krn_db_commit(cron->db, NULL);
}

/* Is the lock still ours, or ours again? */
static bool
cron_may_go_on(struct krn_cron *cron, const char *name)
{
	bool taken = false;

	if (!krn_cron_is_over(cron) &&
	    cron_lock(cron, name, NULL, &taken, NULL, NULL) == KRN_OK && taken)
		return true;
	krn_db_rollback(cron->db);
	cron->complete = false;
	return false;
}

/* What the ledger keeps of the tenants: ids and JSON texts. */
struct cron_parts {
	struct krn_str *ids, *texts;
	size_t nr;
};

static void
cron_tenant(struct krn_cron *cron, const struct krn_cron_job *job,
	    struct krn_str id, struct krn_str name, struct cron_parts *parts)
{
	struct krn_error err = {.code = KRN_OK};
	const struct krn_json_out answer = cron->out;
	struct krn_buf part;
	struct krn_str text;

	krn_buf_init(&part, cron->arena);
	krn_json_init(&cron->out, &part);
	krn_json_obj_open(&cron->out, NULL);
	krn_json_str(&cron->out, "tenantId", id);
	krn_json_str(&cron->out, "tenantName", name);
	const size_t nothing = part.len;

	krn_arena_reset(cron->batch);
	if (job->tenant(cron, id, &err)) {
		krn_db_rollback(cron->db);
		cron->ok = false;
		cron->failed(cron->failed_data, job->name, id, &err);
		krn_json_c(&cron->out, "error", krn_cron_message(&err));
	}
	const bool is_told = part.len > nothing;

	krn_json_close(&cron->out);
	krn_json_end(&cron->out);
	cron->out = answer;
	if (krn_buf_end(&part, &text, NULL)) {
		answer.buf->failed = true;
		return;
	}
	if (!job->unlisted)
		krn_json_raw(&cron->out, NULL, text);
	if (is_told) {
		parts->ids[parts->nr] = id;
		parts->texts[parts->nr++] = text;
	}
}

/* The ledger of cron calls. */
static void
cron_ledger(struct krn_cron *cron, const struct krn_cron_job *job,
	    struct krn_str id, int64_t duration_us,
	    const struct cron_parts *parts)
{
	struct krn_json_out out;
	struct krn_str totals;
	struct krn_buf buf;

	krn_buf_init(&buf, cron->arena);
	krn_json_init(&out, &buf);
	krn_json_obj_open(&out, NULL);
	job->totals(cron, &out);
	krn_json_int(&out, "durationMs", duration_us / 1000);
	krn_json_close(&out);
	krn_json_end(&out);
	if (krn_buf_end(&buf, &totals, NULL))
		return;
	const struct krn_param params[] = {
	    krn_param_str(id),
	    krn_param_bool(cron->ok),
	    krn_param_bool(cron->complete),
	    krn_param_str(totals),
	    krn_param_int(cron->arena, cron->rows),
	    krn_param_double(cron->arena,
			     (double)duration_us / (double)KRN_US_PER_SECOND),
	    krn_param_str_array(cron->arena, parts->ids, parts->nr),
	    krn_param_str_array(cron->arena, parts->texts, parts->nr)};

	if (krn_db_begin(cron->db, cron->arena, KRN_TX_WRITE, NULL))
		return;
	krn_db_send(cron->db, KRN_STMT_cron_end, params, NULL);
	(void)!krn_db_commit(cron->db, NULL);
}

static void
cron_tenants(struct krn_cron *cron, const struct krn_cron_job *job,
	     const struct krn_rows *tenants, struct cron_parts *parts)
{
	for (size_t i = 0; job->tenant && i < krn_rows_nr(tenants); i++) {
		if (!job->every_tenant &&
		    !krn_str_eq_c(krn_rows_str(tenants, i, 2), "active"))
			continue;
		if (job->wants &&
		    !job->wants(cron, krn_rows_str(tenants, i, 0)))
			continue;
		if (!cron_may_go_on(cron, job->name))
			break;
		cron_tenant(cron, job, krn_rows_str(tenants, i, 0),
			    krn_rows_str(tenants, i, 1), parts);
	}
}

static enum krn_err
cron_all(struct krn_cron *cron, const struct krn_cron_job *job,
	 const struct krn_rows *tenants, struct krn_str id, int64_t start_us,
	 struct krn_error *err)
{
	const size_t nr = krn_rows_nr(tenants);
	struct cron_parts parts = {
	    .ids = krn_arena_calloc(cron->arena, nr + 1, sizeof(*parts.ids)),
	    .texts =
		krn_arena_calloc(cron->arena, nr + 1, sizeof(*parts.texts)),
	};

	if (!parts.ids || !parts.texts)
		return krn_arena_fail(cron->arena, err);
	krn_json_obj_open(&cron->out, NULL);
	if (job->before)
		job->before(cron);
	if (!job->unlisted)
		krn_json_arr_open(&cron->out, "tenants");
	cron_tenants(cron, job, tenants, &parts);
	if (!job->unlisted)
		krn_json_close(&cron->out);
	const int64_t duration_us = krn_clock_monotonic_us() - start_us;

	krn_json_bool(&cron->out, "ok", cron->ok);
	krn_json_bool(&cron->out, "skipped", false);
	krn_json_bool(&cron->out, "complete", cron->complete);
	job->totals(cron, &cron->out);
	if (job->details)
		job->details(cron, &cron->out);
	krn_json_int(&cron->out, "durationMs", duration_us / 1000);
	krn_json_close(&cron->out);
	krn_json_end(&cron->out);
	cron_ledger(cron, job, id, duration_us, &parts);
	return KRN_OK;
}

enum krn_err
krn_cron_run(struct krn_cron *cron, const struct krn_cron_job *job,
	     struct krn_buf *answer, struct krn_error *err)
{
	const int64_t start_us = krn_clock_monotonic_us();
	const struct krn_str id = krn_id_new(cron->arena, "cron");
	const struct krn_rows *tenants = NULL;
	bool taken = false;
	enum krn_err e;

	cron->batch = krn_arena_new(0);
	if (!cron->batch || !id.s) {
		krn_arena_free(cron->batch);
		return krn_fail(err, KRN_ERR_UNAVAILABLE, "out of memory");
	}
	cron->job = job;
	cron->ok = cron->complete = true;
	cron->deadline_us =
	    start_us + cron->options->cron_budget_seconds * KRN_US_PER_SECOND;
	krn_json_init(&cron->out, answer);
	e = cron_lock(cron, job->name, &id, &taken, &tenants, err);
	if (e) {
		/* the lock may be ours although the call was not noted */
		krn_db_rollback(cron->db);
		cron_unlock(cron, job->name);
	}
	if (!e && !taken)
		krn_buf_add_c(answer, "{\"ok\":true,\"skipped\":true,"
				      "\"complete\":false,\"durationMs\":0}");
	if (!e && taken) {
		e = cron_all(cron, job, tenants, id, start_us, err);
		cron_unlock(cron, job->name);
	}
	krn_arena_free(cron->batch);
	return e;
}
