/*
 * Campaigns whose time has come.
 */

#include "base/base.h"

#include "campaign/due.h"

#include "base/clock.h"
#include "campaign/next_run.h"
#include "campaign/run.h"
#include "queue/job.h"

/* Campaigns that are read at once. */
#define DUE_PAGE 500

/* Is the last time that was missed not too long ago? */
static enum krn_err
due_is_in_time(struct krn_campaign_due *due, struct krn_str fields,
	       int64_t due_us, int64_t now_us, bool *ret, struct krn_error *err)
{
	const int64_t since_us =
	    now_us - due->late_seconds * KRN_US_PER_SECOND;
	int64_t first_us = due_us;
	enum krn_err e;

	if (due_us <= since_us &&
	    (e = krn_next_run(due->batch, due->db, fields, since_us, &first_us,
			      err)))
		return e;
	*ret = first_us <= now_us;
	return KRN_OK;
}

/* In an open transaction, with the campaign locked. */
static enum krn_err
due_fire(struct krn_campaign_due *due, struct krn_str tenant_id,
	 struct krn_str id, const struct krn_rows *locked,
	 enum krn_campaign_due_outcome *ret, struct krn_error *err)
{
	const struct krn_caller caller = {
	    .tenant_id = tenant_id,
	    .role = KRN_ROLE_EDITOR,
	    .actor_id = KRN_STR("schedule"),
	    .actor_name = KRN_STR("schedule"),
	    .request_id = KRN_STR(""),
	};
	const struct krn_str fields = krn_rows_str(locked, 0, 0);
	const int64_t due_us = krn_rows_time(locked, 0, 1);
	/* the database's now: another host's clock may be behind */
	const int64_t now_us = krn_rows_time(locked, 0, 2);
	struct krn_param next_run;
	struct krn_str document;
	bool is_in_time;
	int64_t next_us;
	enum krn_err e;

	if ((e = due_is_in_time(due, fields, due_us, now_us, &is_in_time,
				err)) ||
	    (e = krn_next_run(due->batch, due->db, fields, now_us, &next_us,
			      err)) ||
	    (e = krn_next_run_param(due->batch, next_us, &next_run, err)))
		return e;
	const struct krn_param set[] = {krn_param_str(id), next_run};

	krn_db_send(due->db, KRN_STMT_campaign_next_run, set, NULL);
	*ret = is_in_time ? KRN_CAMPAIGN_TRIGGERED : KRN_CAMPAIGN_MISSED;
	if (is_in_time &&
	    (e = krn_run_trigger(due->batch, due->db, &caller, id, "schedule",
				 &document, err)))
		return e;
	return krn_db_commit(due->db, err);
}

/* One campaign, in a transaction of its own; KRN_ERR_UNAVAILABLE ends all. */
static enum krn_err
due_campaign(struct krn_campaign_due *due, struct krn_str tenant_id,
	     struct krn_str id, struct krn_error *err)
{
	const struct krn_param params[] = {krn_param_str(id)};
	enum krn_campaign_due_outcome outcome = KRN_CAMPAIGN_FAILED;
	const struct krn_rows *locked;
	enum krn_err e;

	krn_arena_reset(due->batch);
	if ((e = krn_db_begin(due->db, due->batch, KRN_TX_WRITE, err)))
		return e;
	krn_tenant_set(due->db, tenant_id);
	e = krn_db_exec(due->db, KRN_STMT_campaign_due_lock, params, &locked,
			err);
	if (!e && krn_rows_nr(locked) == 0) {
		krn_db_rollback(due->db);
		return KRN_OK;
	}
	if (!e)
		e = due_fire(due, tenant_id, id, locked, &outcome, err);
	krn_db_rollback(due->db);
	if (e == KRN_ERR_UNAVAILABLE)
		return e;
	if (e)
		outcome = e == KRN_ERR_CONFLICT ? KRN_CAMPAIGN_WAITING
						: KRN_CAMPAIGN_FAILED;
	due->counts[outcome]++;
	if (due->told)
		due->told(due->told_data, tenant_id, id, outcome,
			  e ? err : NULL);
	return KRN_OK;
}

/* The next page; in due->arena, as the campaigns' arena is reset. */
static enum krn_err
due_page(struct krn_campaign_due *due, const struct krn_param after[3],
	 const struct krn_rows **ret, struct krn_error *err)
{
	const struct krn_param params[] = {
	    krn_param_int(due->arena, DUE_PAGE), after[0], after[1], after[2]};
	enum krn_err e;

	if ((e = krn_db_begin(due->db, due->arena, KRN_TX_READ, err)))
		return e;
	krn_db_send(due->db, KRN_STMT_campaign_due, params, ret);
	return krn_db_commit(due->db, err);
}

enum krn_err
krn_campaign_due_run(struct krn_campaign_due *due, struct krn_error *err)
{
	struct krn_param after[3] = {krn_param_c("-infinity"), krn_param_c(""),
				     krn_param_c("")};
	const struct krn_rows *rows;
	enum krn_err e;

	due->is_complete = false;
	do {
		if ((e = due_page(due, after, &rows, err)))
			return e;
		for (size_t i = 0; i < krn_rows_nr(rows); i++) {
			if (krn_clock_monotonic_us() >= due->deadline_us)
				return KRN_OK;
			if ((e = due_campaign(due, krn_rows_str(rows, i, 0),
					      krn_rows_str(rows, i, 1), err)))
				return e;
		}
		if (krn_rows_nr(rows)) {
			const size_t last = krn_rows_nr(rows) - 1;

			after[0] = krn_param_str(krn_rows_str(rows, last, 2));
			after[1] = krn_param_str(krn_rows_str(rows, last, 0));
			after[2] = krn_param_str(krn_rows_str(rows, last, 1));
		}
	} while (krn_rows_nr(rows) == DUE_PAGE);
	due->is_complete = true;
	return KRN_OK;
}
