#ifndef KRN_TICK_PRIVATE_H
#define KRN_TICK_PRIVATE_H

/* The parts of a tick. Of tick.c and its neighbours only. */

#include "watch/alert.h"
#include "watch/tick.h"

/* More failures than these are counted in the totals only. */
#define TICK_ERRORS_MAX 1000

struct tick_counts {
	int64_t evaluated, fired, resolved, cooldown, pending, no_data;
	int64_t unsupported, delivery_failed;
	int64_t reports_due, reports_fired, reports_failed;
	int64_t campaigns_due, campaigns_triggered, campaigns_failed;
};

struct tick_error {
	struct krn_str tenant_id, id; /* .s NULL: none */
	const char *kind, *message;
};

struct tick {
	struct krn_cron *cron;
	krn_deliver_failed_fn delivery_failed;
	struct tick_counts counts;
	struct tick_error errors[TICK_ERRORS_MAX];
	size_t errors_nr;
	int64_t tenants;
	int64_t now_us;
	struct krn_str *events; /* ids of what fired */
	size_t events_nr, events_size;
};

/* Note a failure; the texts are copied into the call's arena. */
void tick_failed(struct tick *tick, const char *kind, struct krn_str tenant_id,
		 struct krn_str id, const struct krn_error *err);

void tick_alerts(struct tick *tick);
void tick_reports(struct tick *tick);
void tick_campaigns(struct tick *tick);
void tick_deliveries(struct tick *tick);

#endif
