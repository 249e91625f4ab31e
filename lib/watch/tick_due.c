/*
 * Reports and campaigns of a tick.
 */

#include "base/base.h"

#include "watch/tick_private.h"

#include "base/id.h"
#include "campaign/due.h"
#include "watch/report.h"

/* A schedule that is due. */
struct due_report {
	struct krn_str tenant_id, id, cron_expression, timezone;
	struct krn_param planned_for;
};

/*
 * Its run, its job and the time of its next one in one transaction; nothing
 * when another tick was first.
 */
static enum krn_err
due_report_fire(struct tick *tick, const struct due_report *due,
		bool *ret_fired, struct krn_error *err)
{
	struct krn_cron *cron = tick->cron;
	const struct krn_str run_id = krn_id_new(cron->batch, "rr");
	struct krn_param next;
	const struct krn_rows *rows;
	enum krn_err e;

	*ret_fired = false;
	if (!run_id.s)
		return krn_arena_fail(cron->batch, err);
	if ((e = krn_db_begin(cron->db, cron->batch, KRN_TX_WRITE, err)))
		return e;
	krn_tenant_set(cron->db, due->tenant_id);
	if ((e = krn_report_next_run(cron->batch, cron->db,
				     due->cron_expression, due->timezone,
				     tick->now_us, &next, err)))
		return e;
	const struct krn_param params[] = {
	    krn_param_str(due->id), due->planned_for, next,
	    krn_param_str(run_id), krn_param_time(cron->batch, tick->now_us)};

	if ((e = krn_db_exec(cron->db, KRN_STMT_report_fire, params, &rows,
			     err)))
		return e;
	*ret_fired = krn_rows_nr(rows) > 0;
	if (*ret_fired)
		krn_report_run_queue(cron->batch, cron->db, run_id);
	return krn_db_commit(cron->db, err);
}

/* It cannot be read any more: it is parked, or every tick would tell of it. */
static void
due_report_failed(struct tick *tick, const struct due_report *due,
		  const struct krn_error *why)
{
	struct krn_cron *cron = tick->cron;
	const struct krn_param params[] = {krn_param_str(due->id)};

	tick->counts.reports_failed++;
	tick_failed(tick, "report", due->tenant_id, due->id, why);
	if (why->code != KRN_ERR_INVALID ||
	    krn_db_begin(cron->db, cron->batch, KRN_TX_WRITE, NULL))
		return;
	krn_tenant_set(cron->db, due->tenant_id);
	krn_db_send(cron->db, KRN_STMT_report_park, params, NULL);
	(void)!krn_db_commit(cron->db, NULL);
}

void
tick_reports(struct tick *tick)
{
	struct krn_cron *cron = tick->cron;
	const struct krn_param params[] = {
	    krn_param_time(cron->arena, tick->now_us)};
	const struct krn_str none = {NULL, 0};
	struct krn_error err = {.code = KRN_OK};
	const struct krn_rows *rows;

	if (krn_db_begin(cron->db, cron->arena, KRN_TX_READ, &err) ||
	    krn_db_exec(cron->db, KRN_STMT_report_due, params, &rows, &err) ||
	    krn_db_commit(cron->db, &err)) {
		tick_failed(tick, "report", none, none, &err);
		return;
	}
	for (size_t i = 0; i < krn_rows_nr(rows); i++) {
		const struct due_report due = {
		    .tenant_id = krn_rows_str(rows, i, 0),
		    .id = krn_rows_str(rows, i, 1),
		    .cron_expression = krn_rows_str(rows, i, 2),
		    .timezone = krn_rows_str(rows, i, 3),
		    .planned_for = krn_param_str(krn_rows_str(rows, i, 4)),
		};
		bool fired;

		if (krn_cron_is_over(cron))
			return;
		krn_arena_reset(cron->batch);
		err = (struct krn_error){.code = KRN_OK};
		tick->counts.reports_due++;
		if (due_report_fire(tick, &due, &fired, &err))
			due_report_failed(tick, &due, &err);
		else
			tick->counts.reports_fired += fired;
	}
}

static void
tick_told_campaign(void *data, struct krn_str tenant_id,
		   struct krn_str campaign_id,
		   enum krn_campaign_due_outcome outcome,
		   const struct krn_error *err)
{
	if (outcome == KRN_CAMPAIGN_FAILED && err)
		tick_failed(data, "campaign", tenant_id, campaign_id, err);
}

void
tick_campaigns(struct tick *tick)
{
	struct krn_cron *cron = tick->cron;
	struct krn_campaign_due due = {
	    .arena = cron->arena,
	    .batch = cron->batch,
	    .db = cron->db,
	    .late_seconds = cron->options->schedule_late_seconds,
	    .deadline_us = cron->deadline_us,
	    .told = tick_told_campaign,
	    .told_data = tick,
	};
	const struct krn_str none = {NULL, 0};
	struct krn_error err = {.code = KRN_OK};

	if (krn_campaign_due_run(&due, &err))
		tick_failed(tick, "campaign", none, none, &err);
	for (size_t i = 0; i < KRN_CAMPAIGN_DUE__MAX; i++)
		tick->counts.campaigns_due += due.counts[i];
	tick->counts.campaigns_triggered = due.counts[KRN_CAMPAIGN_TRIGGERED];
	tick->counts.campaigns_failed = due.counts[KRN_CAMPAIGN_FAILED];
	if (!due.is_complete)
		cron->complete = false;
}
