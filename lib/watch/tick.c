/*
 * The tick's frame: its parts in order, what went wrong, the answer.
 */

#include "base/base.h"

#include "watch/tick_private.h"

#include "base/clock.h"

void
tick_failed(struct tick *tick, const char *kind, struct krn_str tenant_id,
	    struct krn_str id, const struct krn_error *err)
{
	struct krn_cron *cron = tick->cron;

	krn_db_rollback(cron->db);
	cron->ok = false;
	cron->failed(cron->failed_data, "tick", tenant_id, err);
	if (tick->errors_nr == TICK_ERRORS_MAX)
		return;
	tick->errors[tick->errors_nr++] = (struct tick_error){
	    .tenant_id =
		tenant_id.s ? krn_str_dup(cron->arena, tenant_id) : tenant_id,
	    .id = id.s ? krn_str_dup(cron->arena, id) : id,
	    .kind = kind,
	    .message =
		krn_str_cstr(cron->arena, krn_str_c(krn_cron_message(err))),
	};
}

/* How many tenants there are to work for; the frame's list has all. */
static void
tick_tenants(struct tick *tick)
{
	struct krn_cron *cron = tick->cron;
	struct krn_error err = {.code = KRN_OK};
	const struct krn_rows *rows;

	if (krn_db_begin(cron->db, cron->batch, KRN_TX_READ, &err) ||
	    krn_db_exec(cron->db, KRN_STMT_tick_tenants, NULL, &rows, &err)) {
		tick_failed(tick, "tenant", krn_str_from(NULL, 0),
			    krn_str_from(NULL, 0), &err);
		return;
	}
	tick->tenants = krn_rows_int(rows, 0, 0);
	krn_db_rollback(cron->db);
}

/*
 * Until when deliveries are begun: a tick that waited for every receiver that
 * hangs would keep the next one from what is due. The rest is the workers'.
 */
static int64_t
tick_delivery_end(const struct krn_cron *cron)
{
	const int64_t end_us = krn_clock_monotonic_us() +
			       cron->options->delivery_timeout_ms * 1000;

	return end_us < cron->deadline_us ? end_us : cron->deadline_us;
}

/* What nobody will ask for any more. */
static enum krn_err
tick_purge(struct krn_cron *cron, struct krn_error *err)
{
	enum krn_err e;

	if ((e = krn_outbox_purge(cron->batch, cron->db, err)) ||
	    (e = krn_db_begin(cron->db, cron->batch, KRN_TX_WRITE, err)))
		return e;
	krn_db_send(cron->db, KRN_STMT_report_purge, NULL, NULL);
	return krn_db_commit(cron->db, err);
}

void
tick_deliveries(struct tick *tick)
{
	struct krn_cron *cron = tick->cron;
	struct krn_deliver deliver = {
	    .db = cron->db,
	    .options = cron->options,
	    .failed = tick->delivery_failed,
	    .failed_data = cron->failed_data,
	};
	const struct krn_param events[] = {
	    krn_param_str_array(cron->arena, tick->events, tick->events_nr)};
	struct krn_error err = {.code = KRN_OK};
	const struct krn_rows *rows;

	krn_arena_reset(cron->batch);
	if (krn_deliver_due(&deliver, tick_delivery_end(cron), NULL, &err) ||
	    tick_purge(cron, &err)) {
		tick_failed(tick, "delivery", krn_str_from(NULL, 0),
			    krn_str_from(NULL, 0), &err);
		return;
	}
	if (!tick->events_nr)
		return;
	if (krn_db_begin(cron->db, cron->batch, KRN_TX_READ, &err) ||
	    krn_db_exec(cron->db, KRN_STMT_alert_failed, events, &rows, &err))
		tick_failed(tick, "delivery", krn_str_from(NULL, 0),
			    krn_str_from(NULL, 0), &err);
	else
		tick->counts.delivery_failed = krn_rows_int(rows, 0, 0);
	krn_db_rollback(cron->db);
}

static void
tick_before(struct krn_cron *cron)
{
	static void (*const parts[])(struct tick *) = {
	    tick_tenants,   tick_alerts,     tick_reports,
	    tick_campaigns, tick_deliveries,
	};
	struct tick *tick = cron->state;

	for (size_t i = 0; i < KRN_NR(parts); i++) {
		if (krn_cron_is_over(cron))
			return;
		krn_arena_reset(cron->batch);
		parts[i](tick);
	}
}

static void
tick_errors(const struct tick *tick, struct krn_json_out *out)
{
	krn_json_arr_open(out, "errors");
	for (size_t i = 0; i < tick->errors_nr; i++) {
		const struct tick_error *error = &tick->errors[i];

		krn_json_obj_open(out, NULL);
		krn_json_str(out, "tenantId", error->tenant_id);
		krn_json_c(out, "kind", error->kind);
		krn_json_str(out, "id", error->id);
		krn_json_c(out, "message", error->message);
		krn_json_close(out);
	}
	krn_json_close(out);
}

static void
tick_totals(const struct krn_cron *cron, struct krn_json_out *out)
{
	const struct tick *tick = cron->state;
	const struct tick_counts *c = &tick->counts;

	krn_json_time(out, "tickAt", tick->now_us);
	krn_json_int(out, "tenants", tick->tenants);
	krn_json_obj_open(out, "alerts");
	krn_json_int(out, "evaluated", c->evaluated);
	krn_json_int(out, "fired", c->fired);
	krn_json_int(out, "resolved", c->resolved);
	krn_json_int(out, "cooldown", c->cooldown);
	krn_json_int(out, "pending", c->pending);
	krn_json_int(out, "noData", c->no_data);
	krn_json_int(out, "deliveryFailed", c->delivery_failed);
	krn_json_int(out, "unsupported", c->unsupported);
	krn_json_close(out);
	krn_json_obj_open(out, "reports");
	krn_json_int(out, "due", c->reports_due);
	krn_json_int(out, "fired", c->reports_fired);
	krn_json_int(out, "failed", c->reports_failed);
	krn_json_close(out);
	krn_json_obj_open(out, "campaigns");
	krn_json_int(out, "due", c->campaigns_due);
	krn_json_int(out, "triggered", c->campaigns_triggered);
	krn_json_int(out, "failed", c->campaigns_failed);
	krn_json_close(out);
	tick_errors(tick, out);
}

enum krn_err
krn_tick(struct krn_cron *cron, krn_deliver_failed_fn delivery_failed,
	 struct krn_buf *answer, struct krn_error *err)
{
	static const struct krn_cron_job job = {
	    .name = "tick",
	    .unlisted = true,
	    .before = tick_before,
	    .totals = tick_totals,
	};
	struct tick *tick = krn_arena_make(cron->arena, struct tick);

	if (!tick)
		return krn_arena_fail(cron->arena, err);
	tick->cron = cron;
	tick->delivery_failed = delivery_failed;
	tick->now_us = krn_clock_us();
	cron->state = tick;
	return krn_cron_run(cron, &job, answer, err);
}
