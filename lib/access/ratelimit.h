#ifndef KRN_RATELIMIT_H
#define KRN_RATELIMIT_H

/*
 * Rate limits: how many calls of a tenant may pass in any window of time, over
 * all processes and hosts. The database keeps the moments of the calls that
 * passed; a call that does not pass leaves none, so waiting helps.
 *
 * Source: contract section 1, rate limits.
 */

#include "store/db.h"

struct krn_ratelimit {
	const char *name; /* of the policy: "cleanup" */
	int64_t quota;    /* calls in a window */
	int64_t window_seconds;
};

/* What a call was told. */
struct krn_ratelimit_state {
	bool accepted;
	int64_t remaining; /* further calls that would pass now */
	int64_t
	    reset_seconds; /* until the oldest call leaves the window; >= 1 */
};

/*
 * Queue the statement that takes a call of the transaction's tenant. It waits
 * for the calls of others, so the transaction is to be committed at once.
 * Read *ret_rows after the commit.
 */
void krn_ratelimit_send(struct krn_arena *arena, struct krn_db *db,
			const struct krn_ratelimit *limit,
			const struct krn_rows **ret_rows);

struct krn_ratelimit_state krn_ratelimit_read(const struct krn_rows *rows);

#endif
