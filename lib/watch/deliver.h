#ifndef KRN_DELIVER_H
#define KRN_DELIVER_H

/*
 * Delivering: what is due in the outbox goes to its providers, many at once. A
 * receiver that hangs, fails or never ends its answer keeps nobody waiting; it
 * is tried again, and becomes a dead letter after the last attempt.
 *
 * A message is one JSON object for all kinds of providers:
 *
 *	{"type": "alert.fired", "title": "…", "text": "…", "severity": "…"?,
 *	 "facts": [{"name", "value"}]?, "links": [{"title", "url"}]?,
 *	 "attachments": {"runId": "…", "formats": […]}?, "data": {…}}
 *
 * Each delivery carries its key as Idempotency-Key (e-mail: Message-ID).
 */

#include "base/option.h"
#include "queue/outbox.h"

/* An attempt failed; for the program's log. */
typedef void (*krn_deliver_failed_fn)(void *data,
				      const struct krn_outbox_row *row,
				      const char *reason, bool is_dead);

struct krn_deliver {
	struct krn_db *db;
	const struct krn_options *options;
	krn_deliver_failed_fn failed;
	void *failed_data;
	/* counted here */
	int64_t delivered, attempts_failed, dead;
};

/*
 * Deliver what is due until there is nothing under way and nothing due, or
 * until the deadline (krn_clock_monotonic_us); what is under way then comes to
 * its end first, which takes DELIVERY_TIMEOUT_MS at most. `should_stop` (may
 * be NULL) ends it early in the same way.
 * Errors: KRN_ERR_UNAVAILABLE  the database is away
 */
KRN_MUSTCHECK enum krn_err krn_deliver_due(struct krn_deliver *deliver,
					   int64_t deadline_us,
					   bool (*should_stop)(void),
					   struct krn_error *err);

#endif
