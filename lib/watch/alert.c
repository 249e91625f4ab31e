/*
 * Alert rules: what they are and what becomes of them.
 */

#include "base/base.h"

#include "watch/alert.h"

#include <math.h>

#include "access/audit.h"
#include "base/clock.h"
#include "base/id.h"

/* Metrics */

/* Sums: impressions, positive outcomes, clicks, conversion value. */
static double
alert_acceptance(const double sums[4])
{
	return sums[0] > 0 ? sums[1] / sums[0] : NAN;
}

static double
alert_clicks(const double sums[4])
{
	return sums[0] > 0 ? sums[2] / sums[0] : NAN;
}

static double
alert_revenue(const double sums[4])
{
	return sums[3];
}

/* Sums: traces, those with a selection, those with degraded scoring. */
static double
alert_selected(const double sums[4])
{
	return sums[0] > 0 ? sums[1] / sums[0] : NAN;
}

static double
alert_degraded(const double sums[4])
{
	return sums[0] > 0 ? sums[2] / sums[0] : NAN;
}

static const struct krn_alert_metric alert_metrics[] = {
    {"acceptance_rate", KRN_STMT_alert_values_interactions, true, "",
     alert_acceptance},
    {"ctr", KRN_STMT_alert_values_interactions, true, "", alert_clicks},
    {"revenue", KRN_STMT_alert_values_interactions, false, "", alert_revenue},
    {"selection_frequency", KRN_STMT_alert_values_traces, true, "",
     alert_selected},
    {"latency_p99", KRN_STMT_alert_values_latency, false, " ms", NULL},
    {"degraded_scoring_rate", KRN_STMT_alert_values_traces, true, "",
     alert_degraded},
};

static const char *const alert_metric_names[] = {"acceptance_rate",
						 "ctr",
						 "revenue",
						 "selection_frequency",
						 "latency_p99",
						 "degraded_scoring_rate",
						 NULL};

const enum krn_stmt krn_alert_values[KRN_ALERT_VALUES_NR] = {
    KRN_STMT_alert_values_interactions,
    KRN_STMT_alert_values_traces,
    KRN_STMT_alert_values_latency,
};

const struct krn_alert_metric *
krn_alert_metric(struct krn_str name)
{
	for (size_t i = 0; i < KRN_NR(alert_metrics); i++)
		if (krn_str_eq_c(name, alert_metrics[i].name))
			return &alert_metrics[i];
	return NULL;
}

/* Operators; signs are for people */

static bool
alert_gt(double a, double b)
{
	return a > b;
}
static bool
alert_lt(double a, double b)
{
	return a < b;
}
static bool
alert_gte(double a, double b)
{
	return a >= b;
}
static bool
alert_lte(double a, double b)
{
	return a <= b;
}
static bool
alert_eq(double a, double b)
{
	return !(a < b) && !(a > b);
}

static const struct {
	const char *name, *sign;
	bool (*holds)(double observed, double threshold);
} alert_operators[] = {
    {"gt", ">", alert_gt},   {"lt", "<", alert_lt}, {"gte", "≥", alert_gte},
    {"lte", "≤", alert_lte}, {"eq", "=", alert_eq},
};

static const char *const alert_operator_names[] = {"gt",  "lt", "gte",
						   "lte", "eq", NULL};

/* The row of an operator; the database holds no others. */
static size_t
alert_operator(struct krn_str name)
{
	size_t i = 0;

	while (i + 1 < KRN_NR(alert_operators) &&
	       !krn_str_eq_c(name, alert_operators[i].name))
		i++;
	return i;
}

/* Judging */

struct krn_alert_rule
krn_alert_read(const struct krn_rows *rows, size_t row)
{
	return (struct krn_alert_rule){
	    .tenant_id = krn_rows_str(rows, row, 0),
	    .id = krn_rows_str(rows, row, 1),
	    .name = krn_rows_str(rows, row, 2),
	    .metric = krn_rows_str(rows, row, 3),
	    .operator= krn_rows_str(rows, row, 4),
	    .threshold = krn_rows_double(rows, row, 5),
	    .window_minutes = krn_rows_int(rows, row, 6),
	    .cooldown_minutes = krn_rows_int(rows, row, 7),
	    .for_minutes = krn_rows_int(rows, row, 8),
	    .notify_resolved = krn_rows_bool(rows, row, 9),
	    .state = krn_rows_str(rows, row, 10),
	    .state_since_us = krn_rows_time(rows, row, 11),
	    .status = krn_rows_str(rows, row, 12),
	    .last_fired_us = krn_rows_time(rows, row, 13),
	    .transition = krn_rows_int(rows, row, 14),
	    .destinations = krn_rows_int(rows, row, 15),
	};
}

bool
krn_alert_holds(const struct krn_alert_rule *rule,
		const struct krn_alert_seen *seen)
{
	return !isnan(seen->observed) &&
	       alert_operators[alert_operator(rule->operator)].holds(
		   seen->observed, rule->threshold);
}

/* Source: the documented product: how far from the threshold, relative to it,
 * or to the baseline when it is 0. */
const char *
krn_alert_severity(const struct krn_alert_rule *rule,
		   const struct krn_alert_seen *seen)
{
	const double away = fabs(seen->observed - rule->threshold);
	double base = fabs(rule->threshold);

	if (base <= 0)
		base = fabs(seen->baseline);
	if (isnan(away) || away <= 0)
		return "info";
	/* from nothing to something is as far as it gets */
	if (isnan(base) || base <= 0 || away / base >= 1.0)
		return "critical";
	return away / base >= 0.5 ? "warning" : "info";
}

static struct krn_alert_move
alert_holding(const struct krn_alert_rule *rule, int64_t now_us)
{
	const int64_t minute = 60 * KRN_US_PER_SECOND;
	const bool is_firing = krn_str_eq_c(rule->state, "firing");
	const bool is_pending = krn_str_eq_c(rule->state, "pending");
	const bool is_cool =
	    rule->last_fired_us == INT64_MIN ||
	    now_us - rule->last_fired_us >= rule->cooldown_minutes * minute;
	const int64_t since_us = is_pending ? rule->state_since_us : now_us;

	if (!is_firing && now_us - since_us < rule->for_minutes * minute)
		return (struct krn_alert_move){"pending", "pending", NULL};
	if (is_cool)
		return (struct krn_alert_move){"firing", "fired", "fired"};
	if (!is_firing)
		return (struct krn_alert_move){is_pending ? "pending" : "ok",
					       "cooldown", NULL};
	/* that nobody could be told is worth more than that it is told */
	return (struct krn_alert_move){
	    "firing",
	    krn_str_eq_c(rule->status, "delivery_failed") ? "delivery_failed"
							  : "cooldown",
	    NULL};
}

struct krn_alert_move
krn_alert_judge(const struct krn_alert_rule *rule,
		const struct krn_alert_seen *seen, int64_t now_us)
{
	if (!krn_alert_metric(rule->metric))
		return (struct krn_alert_move){rule->state.s, "unsupported",
					       NULL};
	if (isnan(seen->observed))
		return (struct krn_alert_move){rule->state.s, "no_data", NULL};
	if (krn_alert_holds(rule, seen))
		return alert_holding(rule, now_us);
	return (struct krn_alert_move){"ok", "ok",
				       krn_str_eq_c(rule->state, "firing") &&
					       rule->notify_resolved
					   ? "resolved"
					   : NULL};
}

/* Messages */

static void
alert_value(struct krn_buf *buf, const struct krn_alert_metric *metric,
	    double value)
{
	if (isnan(value))
		krn_buf_add_c(buf, "no data");
	else if (metric && metric->is_rate)
		krn_buf_printf(buf, "%.2f %%", value * 100);
	else
		krn_buf_printf(buf, "%.6g%s", value,
			       metric ? metric->unit : "");
}

static void
alert_fact(struct krn_json_out *out, struct krn_arena *arena, const char *name,
	   const struct krn_alert_metric *metric, double value)
{
	struct krn_buf buf;
	struct krn_str text;

	krn_buf_init(&buf, arena);
	alert_value(&buf, metric, value);
	if (krn_buf_end(&buf, &text, NULL))
		return;
	krn_json_obj_open(out, NULL);
	krn_json_c(out, "name", name);
	krn_json_str(out, "value", text);
	krn_json_close(out);
}

/* null where there is no number */
static void
alert_data(struct krn_json_out *out, const struct krn_alert_rule *rule,
	   const struct krn_alert_seen *seen, const char *kind,
	   struct krn_str event_id, int64_t now_us)
{
	krn_json_obj_open(out, "data");
	krn_json_str(out, "eventId", event_id);
	krn_json_str(out, "ruleId", rule->id);
	krn_json_str(out, "ruleName", rule->name);
	krn_json_c(out, "transition", kind);
	krn_json_str(out, "metric", rule->metric);
	krn_json_str(out, "operator", rule->operator);
	krn_json_double(out, "threshold", rule->threshold);
	krn_json_double(out, "observed", seen->observed);
	krn_json_double(out, "baseline", seen->baseline);
	krn_json_int(out, "windowMinutes", rule->window_minutes);
	krn_json_time(out, "windowEnd", now_us);
	krn_json_close(out);
}

void
krn_alert_message(struct krn_json_out *out, const char *name,
		  const struct krn_alert_rule *rule,
		  const struct krn_alert_seen *seen, const char *kind,
		  struct krn_str event_id, int64_t now_us)
{
	const struct krn_alert_metric *metric = krn_alert_metric(rule->metric);
	struct krn_arena *arena = out->buf->arena;
	const struct krn_str type = krn_str_printf(arena, "alert.%s", kind);
	const struct krn_str title =
	    krn_str_printf(arena, "%s: %.*s",
			   strcmp(kind, "fired") == 0      ? "Alert"
			   : strcmp(kind, "resolved") == 0 ? "Resolved"
							   : "Test of alert",
			   KRN_STR_ARG(rule->name));
	struct krn_buf buf;
	struct krn_str text;

	krn_buf_init(&buf, arena);
	krn_buf_printf(&buf, "%.*s over %lld min is ",
		       KRN_STR_ARG(rule->metric),
		       (long long)rule->window_minutes);
	alert_value(&buf, metric, seen->observed);
	krn_buf_printf(&buf, "; the rule fires at %s ",
		       alert_operators[alert_operator(rule->operator)].sign);
	alert_value(&buf, metric, rule->threshold);
	if (!type.s || !title.s || krn_buf_end(&buf, &text, NULL)) {
		out->buf->failed = true;
		text = KRN_STR("");
	}
	krn_json_obj_open(out, name);
	krn_json_str(out, "type", type);
	krn_json_str(out, "title", title);
	krn_json_str(out, "text", text);
	krn_json_c(out, "severity", krn_alert_severity(rule, seen));
	krn_json_arr_open(out, "facts");
	alert_fact(out, arena, "Observed", metric, seen->observed);
	alert_fact(out, arena, "Threshold", metric, rule->threshold);
	alert_fact(out, arena, "Window before", metric, seen->baseline);
	krn_json_close(out);
	alert_data(out, rule, seen, kind, event_id, now_us);
	krn_json_close(out);
}

/* A test */

/* The values of one rule, by the statement of its metric. */
static enum krn_err
alert_test_look(struct krn_object *object, const struct krn_alert_rule *rule,
		int64_t now_us, struct krn_alert_seen *ret,
		struct krn_error *err)
{
	const struct krn_alert_metric *metric = krn_alert_metric(rule->metric);

	*ret = (struct krn_alert_seen){NAN, NAN};
	return metric ? krn_alert_look(object->arena, object->db, rule, 1,
				       metric->values, rule->tenant_id, now_us,
				       ret, err)
		      : KRN_OK;
}

static enum krn_err
alert_test_send(struct krn_object *object, const struct krn_alert_rule *rule,
		const struct krn_alert_seen *seen, struct krn_str event_id,
		int64_t now_us, const struct krn_rows **ret,
		struct krn_error *err)
{
	struct krn_json_out out;
	struct krn_buf buf;
	struct krn_str message;
	enum krn_err e;

	krn_buf_init(&buf, object->arena);
	krn_json_init(&out, &buf);
	krn_alert_message(&out, NULL, rule, seen, "test", event_id, now_us);
	krn_json_end(&out);
	if ((e = krn_buf_end(&buf, &message, err)))
		return e;
	const struct krn_param params[] = {
	    krn_param_str(rule->id),
	    krn_param_str(event_id),
	    isnan(seen->observed)
		? krn_param_null()
		: krn_param_double(object->arena, seen->observed),
	    isnan(seen->baseline)
		? krn_param_null()
		: krn_param_double(object->arena, seen->baseline),
	    krn_param_c(krn_alert_severity(rule, seen)),
	    krn_param_str(message),
	    krn_param_time(object->arena, now_us),
	};

	return krn_db_exec(object->db, KRN_STMT_alert_test, params, ret, err);
}

static void
alert_test_answer(const struct krn_alert_rule *rule,
		  const struct krn_alert_seen *seen, struct krn_str event_id,
		  const struct krn_rows *deliveries, int64_t now_us,
		  struct krn_buf *answer)
{
	struct krn_json_out out;

	krn_json_init(&out, answer);
	krn_json_obj_open(&out, NULL);
	krn_json_str(&out, "eventId", event_id);
	krn_json_str(&out, "metric", rule->metric);
	krn_json_double(&out, "observed", seen->observed);
	krn_json_double(&out, "baseline", seen->baseline);
	krn_json_double(&out, "threshold", rule->threshold);
	krn_json_bool(&out, "wouldFire", krn_alert_holds(rule, seen));
	krn_json_c(&out, "severity", krn_alert_severity(rule, seen));
	krn_json_bool(&out, "noData", isnan(seen->observed));
	krn_json_time(&out, "windowEnd", now_us);
	krn_json_arr_open(&out, "deliveries");
	for (size_t i = 0; i < krn_rows_nr(deliveries); i++)
		krn_json_raw(&out, NULL, krn_rows_str(deliveries, i, 0));
	krn_json_close(&out);
	krn_json_close(&out);
	krn_json_end(&out);
}

enum krn_err
krn_alert_test(struct krn_object *object, struct krn_buf *answer,
	       struct krn_error *err)
{
	const struct krn_param params[] = {krn_param_str(object->id)};
	const struct krn_str event_id = krn_id_new(object->arena, "aev");
	const int64_t now_us = krn_clock_us();
	const struct krn_rows *rows, *deliveries;
	struct krn_alert_rule rule;
	struct krn_alert_seen seen;
	enum krn_err e;

	if (!event_id.s)
		return krn_arena_fail(object->arena, err);
	if ((e = krn_db_exec(object->db, KRN_STMT_alert_rule, params, &rows,
			     err)))
		return e;
	if (krn_rows_nr(rows) == 0)
		return krn_refuse(err, KRN_ERR_NOTFOUND, "no such alert rule");
	rule = krn_alert_read(rows, 0);
	if ((e = alert_test_look(object, &rule, now_us, &seen, err)) ||
	    (e = alert_test_send(object, &rule, &seen, event_id, now_us,
				 &deliveries, err)))
		return e;
	alert_test_answer(&rule, &seen, event_id, deliveries, now_us, answer);
	const struct krn_audit audit = {
	    .action = "alert_rule.test",
	    .entity_type = "alert_rule",
	    .entity_id = rule.id,
	    .entity_name = rule.name,
	};

	return krn_audit_append(object->arena, object->db, object->caller,
				&audit, err);
}

/* The kind */

static enum krn_err
alert_check(struct krn_object *object, struct krn_param *ret_extra KRN_UNUSED,
	    struct krn_error *err)
{
	return krn_object_check_providers(
	    object, "channels", krn_value_find(&object->value, "channels"),
	    err);
}

/* Windows of at most a week: both are read at every tick. */
static const struct krn_form_field alert_fields[] = {
    {.name = "name",
     .type = KRN_FORM_TEXT,
     .required = true,
     .min = 1,
     .max = 120},
    {.name = "metric",
     .type = KRN_FORM_CHOICE,
     .required = true,
     .choices = alert_metric_names},
    {.name = "operator",
     .type = KRN_FORM_CHOICE,
     .required = true,
     .choices = alert_operator_names},
    {.name = "threshold", .type = KRN_FORM_NUMBER, .required = true},
    {.name = "windowMinutes",
     .type = KRN_FORM_INT,
     .min = 1,
     .max = 10080,
     .fallback = "5"},
    {.name = "channels", .type = KRN_FORM_TEXTS, .max = 20, .fallback = "[]"},
    {.name = "cooldownMinutes",
     .type = KRN_FORM_INT,
     .max = 525600,
     .fallback = "60"},
    {.name = "forMinutes", .type = KRN_FORM_INT, .max = 10080, .fallback = "0"},
    {.name = "notifyResolved", .type = KRN_FORM_BOOL, .fallback = "true"},
    {.name = "enabled", .type = KRN_FORM_BOOL, .fallback = "true"},
};

const struct krn_object_kind krn_alert_kind = {
    .noun = "alert rule",
    .prefix = "alr",
    .entity = "alert_rule",
    .fields = alert_fields,
    .nr = KRN_NR(alert_fields),
    .insert = KRN_STMT_alert_insert,
    .load = KRN_STMT_alert_load,
    .update = KRN_STMT_alert_update,
    .remove = KRN_STMT_alert_delete,
    .check = alert_check,
};
