/*
 * The cron job approvals-expire.
 */

#include "base/base.h"

#include "lifecycle/approval.h"

#include "access/audit.h"
#include "base/clock.h"

/* So many go in one transaction, with one audit row. */
#define APPROVAL_EXPIRE_BATCH 10000

struct approval_expire {
	struct krn_str request_id;
	int64_t cutoff_us;
	const struct krn_rows *due; /* tenants in byte order */
	int64_t expired;
};

static struct approval_expire *
approval_expire_of(const struct krn_cron *cron)
{
	return cron->state;
}

/* Who has anything to expire: one look at an index when nobody has. */
static enum krn_err
approval_expire_find(struct krn_cron *cron, struct krn_error *err)
{
	struct approval_expire *job = approval_expire_of(cron);
	const struct krn_param params[] = {
	    krn_param_time(cron->arena, job->cutoff_us)};
	enum krn_err e;

	if ((e = krn_db_begin(cron->db, cron->arena, KRN_TX_READ, err)))
		return e;
	krn_db_send(cron->db, KRN_STMT_approval_due, params, &job->due);
	return krn_db_commit(cron->db, err);
}

static void
approval_expire_before(struct krn_cron *cron)
{
	struct krn_error err = {.code = KRN_OK};

	if (approval_expire_find(cron, &err) == KRN_OK)
		return;
	krn_db_rollback(cron->db);
	approval_expire_of(cron)->due = NULL;
	cron->ok = false;
	cron->failed(cron->failed_data, "approvals-expire",
		     (struct krn_str){NULL, 0}, &err);
}

static bool
approval_expire_wants(const struct krn_cron *cron, struct krn_str id)
{
	const struct krn_rows *due = approval_expire_of(cron)->due;
	size_t low = 0, high = due ? krn_rows_nr(due) : 0;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const int order = krn_str_cmp(krn_rows_str(due, middle, 0), id);

		if (order == 0)
			return true;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

static enum krn_err
approval_expire_batch(struct krn_cron *cron, struct krn_str tenant,
		      int64_t *ret_expired, struct krn_error *err)
{
	const struct approval_expire *job = approval_expire_of(cron);
	const struct krn_caller caller = {
	    .tenant_id = tenant,
	    .role = KRN_ROLE_ADMIN,
	    .actor_id = KRN_STR("cron"),
	    .actor_name = KRN_STR("cron"),
	    .request_id = job->request_id,
	};
	struct krn_audit audit = {
	    .action = "approval.expire",
	    .entity_type = "approval",
	};
	const struct krn_rows *rows;
	enum krn_err e;

	krn_arena_reset(cron->batch);
	if ((e = krn_cron_begin(cron, KRN_TX_WRITE, tenant, err)))
		return e;
	const struct krn_param params[] = {
	    krn_param_time(cron->batch, job->cutoff_us),
	    krn_param_int(cron->batch, APPROVAL_EXPIRE_BATCH),
	};

	if ((e = krn_db_exec(cron->db, KRN_STMT_approval_expire, params, &rows,
			     err)))
		return e;
	*ret_expired = krn_rows_int(rows, 0, 0);
	audit.changes = krn_str_printf(
	    cron->batch, "{\"expired\":%lld,\"ids\":%.*s}",
	    (long long)*ret_expired, KRN_STR_ARG(krn_rows_str(rows, 0, 1)));
	if (!audit.changes.s)
		return krn_arena_fail(cron->batch, err);
	if (*ret_expired > 0 &&
	    (e = krn_audit_append(cron->batch, cron->db, &caller, &audit, err)))
		return e;
	return krn_db_commit(cron->db, err);
}

static enum krn_err
approval_expire_tenant(struct krn_cron *cron, struct krn_str id,
		       struct krn_error *err)
{
	struct approval_expire *job = approval_expire_of(cron);
	int64_t expired = 0, total = 0;
	enum krn_err e;

	do {
		if ((e = approval_expire_batch(cron, id, &expired, err)))
			break;
		total += expired;
	} while (expired == APPROVAL_EXPIRE_BATCH && !krn_cron_is_over(cron));
	job->expired += total;
	cron->rows += total;
	krn_json_int(&cron->out, "expired", total);
	return e;
}

static void
approval_expire_totals(const struct krn_cron *cron, struct krn_json_out *out)
{
	const struct approval_expire *job = approval_expire_of(cron);

	krn_json_int(out, "expired", job->expired);
	krn_json_time(out, "cutoff", job->cutoff_us);
	krn_json_int(out, "maxAgeHours", cron->options->approval_max_age_hours);
}

enum krn_err
krn_approval_expire(struct krn_cron *cron, struct krn_str request_id,
		    struct krn_buf *answer, struct krn_error *err)
{
	static const struct krn_cron_job approval_job = {
	    .name = "approvals-expire",
	    .every_tenant = true,
	    .unlisted = true,
	    .before = approval_expire_before,
	    .wants = approval_expire_wants,
	    .tenant = approval_expire_tenant,
	    .totals = approval_expire_totals,
	};
	struct approval_expire job = {
	    .request_id = request_id,
	    .cutoff_us =
		krn_clock_us() - cron->options->approval_max_age_hours * 3600 *
				     KRN_US_PER_SECOND,
	};

	cron->state = &job;
	return krn_cron_run(cron, &approval_job, answer, err);
}
