#ifndef KRN_ALERT_H
#define KRN_ALERT_H

/*
 * Alert rules: a metric of a tenant's interactions or decisions over a window
 * that ends now, compared with a threshold.
 *
 * A rule's state is ok, pending (the condition holds, but not for forMinutes
 * yet) or firing. What is told are transitions: fired, again after each
 * cooldown for as long as it holds, and resolved. Without data the state stays
 * as it is.
 *
 * Source: doc/alerts.md; facts of the documented product, section 5.1.
 */

#include "watch/object.h"

extern const struct krn_object_kind krn_alert_kind;

/* Metrics: what is computed in which statement. */
struct krn_alert_metric {
	const char *name;
	enum krn_stmt values;
	bool is_rate; /* shown as percent */
	const char *unit;
	/* of the four sums that its statement gives; NAN: no data */
	double (*value)(const double sums[4]);
};

/* NULL: none of ours. */
const struct krn_alert_metric *krn_alert_metric(struct krn_str name);

/* The statements of the metrics, each once. */
#define KRN_ALERT_VALUES_NR 3
extern const enum krn_stmt krn_alert_values[KRN_ALERT_VALUES_NR];

struct krn_alert_rule {
	struct krn_str tenant_id, id, name, metric, operator;
	double threshold;
	int64_t window_minutes, cooldown_minutes, for_minutes;
	bool notify_resolved;
	struct krn_str state, status;
	int64_t state_since_us;
	int64_t last_fired_us; /* INT64_MIN: never */
	int64_t transition, destinations;
};

/* A row of alert_rules or alert_rule. */
struct krn_alert_rule krn_alert_read(const struct krn_rows *rows, size_t row);

/* What the windows showed; NAN: no data. */
struct krn_alert_seen {
	double observed, baseline;
};

/*
 * Fill `seen` of those rules whose metric the statement computes, of all
 * tenants or of one (.s NULL: all), in the running transaction. Rules are in
 * order of their tenants; the others' places are left alone.
 */
KRN_MUSTCHECK enum krn_err
krn_alert_look(struct krn_arena *arena, struct krn_db *db,
	       const struct krn_alert_rule *rules, size_t nr,
	       enum krn_stmt stmt, struct krn_str tenant, int64_t now_us,
	       struct krn_alert_seen *seen, struct krn_error *err);

/* What becomes of a rule. */
struct krn_alert_move {
	const char *state, *status;
	const char *kind; /* "fired", "resolved"; NULL: nothing is told */
};

/* Does the condition hold? False without data. */
bool krn_alert_holds(const struct krn_alert_rule *rule,
		     const struct krn_alert_seen *seen);

/* "info", "warning", "critical" */
const char *krn_alert_severity(const struct krn_alert_rule *rule,
			       const struct krn_alert_seen *seen);

struct krn_alert_move krn_alert_judge(const struct krn_alert_rule *rule,
				      const struct krn_alert_seen *seen,
				      int64_t now_us);

/* The message of a transition or test, as deliver.h has messages. */
void krn_alert_message(struct krn_json_out *out, const char *name,
		       const struct krn_alert_rule *rule,
		       const struct krn_alert_seen *seen, const char *kind,
		       struct krn_str event_id, int64_t now_us);

/*
 * Evaluate one rule now and queue a test message to each of its channels.
 * Writes the answer.
 * Errors: KRN_ERR_NOTFOUND
 */
KRN_MUSTCHECK enum krn_err krn_alert_test(struct krn_object *object,
					  struct krn_buf *answer,
					  struct krn_error *err);

#endif
