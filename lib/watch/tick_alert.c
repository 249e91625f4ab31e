/*
 * Alerts of a tick: rules and values are read for all tenants at once, what
 * becomes of each rule is decided here, and what changed is written a
 * transaction a tenant.
 */

#include "base/base.h"

#include "watch/tick_private.h"

#include <math.h>

#include "access/audit.h"
#include "base/clock.h"
#include "base/id.h"
#include "queue/job.h"

struct alerts {
	struct tick *tick;
	struct krn_alert_rule *rules;
	struct krn_alert_seen *seen;
	bool *judged; /* false: its values could not be read */
	size_t nr;
};

/* Values of all tenants, or of one, by one statement. */
static enum krn_err
alerts_values(struct alerts *alerts, enum krn_stmt stmt, struct krn_str tenant,
	      struct krn_error *err)
{
	struct krn_cron *cron = alerts->tick->cron;
	enum krn_err e;

	if ((e = krn_db_begin(cron->db, cron->batch, KRN_TX_READ, err)) ||
	    (e = krn_alert_look(cron->batch, cron->db, alerts->rules,
				alerts->nr, stmt, tenant, alerts->tick->now_us,
				alerts->seen, err)) ||
	    (e = krn_db_commit(cron->db, err)))
		return e;
	for (size_t i = 0; i < alerts->nr; i++) {
		const struct krn_alert_metric *metric =
		    krn_alert_metric(alerts->rules[i].metric);

		if (metric && metric->values == stmt &&
		    (!tenant.s ||
		     krn_str_eq(alerts->rules[i].tenant_id, tenant)))
			alerts->judged[i] = true;
	}
	return KRN_OK;
}

/* Has any rule a metric of that statement? */
static bool
alerts_want(const struct alerts *alerts, enum krn_stmt stmt)
{
	for (size_t i = 0; i < alerts->nr; i++) {
		const struct krn_alert_metric *metric =
		    krn_alert_metric(alerts->rules[i].metric);

		if (metric && metric->values == stmt)
			return true;
	}
	return false;
}

/* The rule after the last of this one's tenant. */
static size_t
alerts_tenant_end(const struct alerts *alerts, size_t from)
{
	size_t i = from;

	while (i < alerts->nr && krn_str_eq(alerts->rules[i].tenant_id,
					    alerts->rules[from].tenant_id))
		i++;
	return i;
}

/* One tenant's data cannot be computed with: it is found by asking for each. */
static void
alerts_values_each(struct alerts *alerts, enum krn_stmt stmt)
{
	for (size_t i = 0; i < alerts->nr; i = alerts_tenant_end(alerts, i)) {
		struct krn_error err = {.code = KRN_OK};

		if (alerts_values(alerts, stmt, alerts->rules[i].tenant_id,
				  &err))
			tick_failed(alerts->tick, "alert",
				    alerts->rules[i].tenant_id,
				    krn_str_from(NULL, 0), &err);
	}
}

/* Moves */

static void
alerts_move_json(struct alerts *alerts, size_t i,
		 const struct krn_alert_move *move, struct krn_json_out *out)
{
	const struct krn_alert_rule *rule = &alerts->rules[i];
	const struct krn_alert_seen *seen = &alerts->seen[i];
	char id[KRN_ID_BYTES];

	krn_json_obj_open(out, NULL);
	krn_json_str(out, "ruleId", rule->id);
	krn_json_str(out, "was", rule->state);
	krn_json_int(out, "transition", rule->transition);
	krn_json_c(out, "state", move->state);
	krn_json_c(out, "status", move->status);
	if (move->kind) {
		krn_id_make("aev", id);
		krn_json_c(out, "kind", move->kind);
		krn_json_c(out, "eventId", id);
		krn_json_double(out, "observed", seen->observed);
		krn_json_double(out, "baseline", seen->baseline);
		krn_json_double(out, "threshold", rule->threshold);
		krn_json_c(out, "severity", krn_alert_severity(rule, seen));
		krn_alert_message(out, "message", rule, seen, move->kind,
				  krn_str_c(id), alerts->tick->now_us);
	}
	krn_json_close(out);
}

static void
alerts_note_event(struct tick *tick, struct krn_str id)
{
	struct krn_str *events =
	    krn_arena_room(tick->cron->arena, tick->events, tick->events_nr,
			   &tick->events_size, sizeof(*events));

	if (!events)
		return;
	tick->events = events;
	tick->events[tick->events_nr] = krn_str_dup(tick->cron->arena, id);
	if (tick->events[tick->events_nr].s)
		tick->events_nr++;
}

/* What was written: only that is counted. */
static void
alerts_count(struct tick *tick, const struct krn_rows *rows)
{
	for (size_t i = 0; i < krn_rows_nr(rows); i++) {
		if (krn_rows_is_null(rows, i, 1))
			continue;
		if (krn_str_eq_c(krn_rows_str(rows, i, 1), "resolved")) {
			tick->counts.resolved++;
			continue;
		}
		tick->counts.fired++;
		if (krn_rows_int(rows, i, 3))
			alerts_note_event(tick, krn_rows_str(rows, i, 2));
	}
}

/* Who fired and who resolved, in the tenant's audit. */
static enum krn_err
alerts_audit(struct alerts *alerts, struct krn_str tenant_id,
	     const struct krn_rows *rows, struct krn_error *err)
{
	struct krn_cron *cron = alerts->tick->cron;
	const struct krn_caller caller = {.tenant_id = tenant_id,
					  .role = KRN_ROLE_ADMIN,
					  .actor_id = KRN_STR("tick"),
					  .actor_name = KRN_STR("tick"),
					  .request_id = KRN_STR("")};
	struct krn_audit audit = {.action = "alert_rule.transition",
				  .entity_type = "alert_rule"};
	struct krn_json_out out;
	struct krn_buf buf;
	size_t nr = 0;
	enum krn_err e;

	krn_buf_init(&buf, cron->batch);
	krn_json_init(&out, &buf);
	krn_json_arr_open(&out, NULL);
	for (size_t i = 0; i < krn_rows_nr(rows); i++) {
		if (krn_rows_is_null(rows, i, 1))
			continue;
		nr++;
		krn_json_obj_open(&out, NULL);
		krn_json_str(&out, "ruleId", krn_rows_str(rows, i, 0));
		krn_json_str(&out, "transition", krn_rows_str(rows, i, 1));
		krn_json_str(&out, "eventId", krn_rows_str(rows, i, 2));
		krn_json_close(&out);
	}
	krn_json_close(&out);
	krn_json_end(&out);
	if (!nr)
		return KRN_OK;
	if ((e = krn_buf_end(&buf, &audit.changes, err)))
		return e;
	return krn_audit_append(cron->batch, cron->db, &caller, &audit, err);
}

/* The changes of rules [from, to) in one transaction; none: no transaction. */
static enum krn_err
alerts_move(struct alerts *alerts, const struct krn_alert_move *moves,
	    size_t from, size_t to, struct krn_error *err)
{
	struct krn_cron *cron = alerts->tick->cron;
	const struct krn_rows *rows;
	struct krn_json_out out;
	struct krn_buf buf;
	struct krn_str text;
	size_t nr = 0;
	enum krn_err e;

	krn_buf_init(&buf, cron->batch);
	krn_json_init(&out, &buf);
	krn_json_arr_open(&out, NULL);
	for (size_t i = from; i < to; i++) {
		if (!moves[i].state)
			continue;
		alerts_move_json(alerts, i, &moves[i], &out);
		nr++;
	}
	krn_json_close(&out);
	krn_json_end(&out);
	if (!nr)
		return KRN_OK;
	if ((e = krn_buf_end(&buf, &text, err)) ||
	    (e = krn_db_begin(cron->db, cron->batch, KRN_TX_WRITE, err)))
		return e;
	const struct krn_param params[] = {
	    krn_param_str(text),
	    krn_param_time(cron->batch, alerts->tick->now_us),
	};

	krn_tenant_set(cron->db, alerts->rules[from].tenant_id);
	if ((e = krn_db_exec(cron->db, KRN_STMT_alert_move, params, &rows,
			     err)) ||
	    (e = alerts_audit(alerts, alerts->rules[from].tenant_id, rows,
			      err)) ||
	    (e = krn_db_commit(cron->db, err)))
		return e;
	alerts_count(alerts->tick, rows);
	return KRN_OK;
}

/* One tenant's; when they fail together, each for itself. */
static void
alerts_move_tenant(struct alerts *alerts, const struct krn_alert_move *moves,
		   size_t from, size_t to)
{
	struct krn_error err = {.code = KRN_OK};

	if (alerts_move(alerts, moves, from, to, &err) == KRN_OK)
		return;
	krn_db_rollback(alerts->tick->cron->db);
	for (size_t i = from; i < to; i++) {
		err = (struct krn_error){.code = KRN_OK};
		if (alerts_move(alerts, moves, i, i + 1, &err))
			tick_failed(alerts->tick, "alert",
				    alerts->rules[i].tenant_id,
				    alerts->rules[i].id, &err);
	}
}

/* What becomes of a rule; .state NULL: it stays as it is. */
static struct krn_alert_move
alerts_judge(struct alerts *alerts, size_t i)
{
	struct tick_counts *counts = &alerts->tick->counts;
	const struct krn_alert_rule *rule = &alerts->rules[i];
	const struct krn_alert_move none = {NULL, NULL, NULL};
	const bool supported = krn_alert_metric(rule->metric);

	if (supported && !alerts->judged[i])
		return none;
	const struct krn_alert_move move =
	    krn_alert_judge(rule, &alerts->seen[i], alerts->tick->now_us);

	counts->evaluated++;
	counts->unsupported += !supported;
	counts->no_data += strcmp(move.status, "no_data") == 0;
	counts->pending += strcmp(move.status, "pending") == 0;
	counts->cooldown += !move.kind && supported &&
			    krn_alert_holds(rule, &alerts->seen[i]) &&
			    strcmp(move.status, "pending") != 0;
	return !move.kind && krn_str_eq_c(rule->state, move.state) &&
		       krn_str_eq_c(rule->status, move.status)
		   ? none
		   : move;
}

static enum krn_err
alerts_read(struct alerts *alerts, struct krn_error *err)
{
	struct krn_cron *cron = alerts->tick->cron;
	const struct krn_rows *rows;
	enum krn_err e;

	if ((e = krn_db_begin(cron->db, cron->batch, KRN_TX_READ, err)))
		return e;
	krn_db_send(cron->db, KRN_STMT_alert_rules, NULL, &rows);
	if ((e = krn_db_commit(cron->db, err)))
		return e;
	alerts->nr = krn_rows_nr(rows);
	alerts->rules = krn_arena_calloc(cron->batch, alerts->nr + 1,
					 sizeof(*alerts->rules));
	alerts->seen = krn_arena_calloc(cron->batch, alerts->nr + 1,
					sizeof(*alerts->seen));
	alerts->judged = krn_arena_calloc(cron->batch, alerts->nr + 1,
					  sizeof(*alerts->judged));
	if (!alerts->rules || !alerts->seen || !alerts->judged)
		return krn_arena_fail(cron->batch, err);
	for (size_t i = 0; i < alerts->nr; i++) {
		alerts->rules[i] = krn_alert_read(rows, i);
		alerts->seen[i] = (struct krn_alert_seen){NAN, NAN};
	}
	return KRN_OK;
}

void
tick_alerts(struct tick *tick)
{
	struct alerts alerts = {.tick = tick};
	struct krn_cron *cron = tick->cron;
	const struct krn_str none = {NULL, 0};
	struct krn_error err = {.code = KRN_OK};
	struct krn_alert_move *moves;

	if (alerts_read(&alerts, &err)) {
		tick_failed(tick, "alert", none, none, &err);
		return;
	}
	for (size_t i = 0; i < KRN_ALERT_VALUES_NR; i++) {
		const enum krn_stmt stmt = krn_alert_values[i];

		if (!alerts_want(&alerts, stmt) ||
		    alerts_values(&alerts, stmt, none, &err) == KRN_OK)
			continue;
		krn_db_rollback(cron->db);
		alerts_values_each(&alerts, stmt);
	}
	moves = krn_arena_calloc(cron->batch, alerts.nr + 1, sizeof(*moves));
	if (!moves) {
		krn_arena_fail(cron->batch, &err);
		tick_failed(tick, "alert", none, none, &err);
		return;
	}
	for (size_t i = 0; i < alerts.nr; i++)
		moves[i] = alerts_judge(&alerts, i);
	for (size_t i = 0; i < alerts.nr && !krn_cron_is_over(cron);) {
		const size_t end = alerts_tenant_end(&alerts, i);

		alerts_move_tenant(&alerts, moves, i, end);
		i = end;
	}
	cron->rows += (int64_t)alerts.nr;
}
