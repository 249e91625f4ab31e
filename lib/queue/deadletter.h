#ifndef KRN_DEADLETTER_H
#define KRN_DEADLETTER_H

/*
 * Dead letters: jobs and deliveries that failed for good, with all errors on
 * the way. A retried one leaves the list with the same commit that puts it
 * into its queue, under its id; should it fail again, it comes back under it.
 *
 * Source: contract section 3, admin/dlq.
 */

#include "access/caller.h"
#include "store/db.h"

/* The topics, NULL-terminated. */
extern const char *const krn_deadletter_topics[];

/* Which of the tenant's dead letters: all that both conditions allow. */
struct krn_deadletter_filter {
	struct krn_str topic;      /* .s NULL: any */
	const struct krn_str *ids; /* NULL: any */
	size_t ids_nr;
};

/*
 * Put them back into their queues, with an audit row. One caller at a time;
 * who comes second finds what is left. What cannot be requeued stays in the
 * list and is not counted: a failed run while another of its campaign is under
 * way or begins anew with this call; a run that did not fail after all, or is
 * gone; a delivery that is gone or was made.
 * Errors: KRN_ERR_CONFLICT  another call takes longer than LOCK_TIMEOUT_MS
 */
KRN_MUSTCHECK enum krn_err
krn_deadletter_retry(struct krn_arena *arena, struct krn_db *db,
		     const struct krn_caller *caller,
		     const struct krn_deadletter_filter *filter,
		     int64_t *ret_requeued, struct krn_error *err);

/* Remove them, with an audit row. Errors: as krn_deadletter_retry. */
KRN_MUSTCHECK enum krn_err
krn_deadletter_purge(struct krn_arena *arena, struct krn_db *db,
		     const struct krn_caller *caller,
		     const struct krn_deadletter_filter *filter,
		     int64_t *ret_deleted, struct krn_error *err);

#endif
