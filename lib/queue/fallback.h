#ifndef KRN_FALLBACK_H
#define KRN_FALLBACK_H

/*
 * What is done when there is no worker: whoever looks regularly and finds, for
 * as long as it was told, a due job and no worker, is to start one.
 *
 * Source: DESIGN section 6, queue; doc/decisions/006-inline-fallback.md
 */

#include "store/db.h"

/* Of one process that looks. */
struct krn_fallback {
	int64_t wait_us; /* how long a due job waits; 0: nobody looks */
	int64_t next_us; /* when to look again; private from here on */
	int64_t since_us; /* no worker and a due job, at every look since; 0 */
};

void krn_fallback_init(struct krn_fallback *fallback, int64_t wait_seconds);

/* How long to wait until the next look; -1: for ever. */
int krn_fallback_wait_ms(const struct krn_fallback *fallback);

/*
 * Look, when it is time, in a transaction of its own in `arena`. True: start a
 * worker now. Two that start one each do no harm. When the database is away
 * there is nothing to find.
 */
bool krn_fallback_look(struct krn_fallback *fallback, struct krn_arena *arena,
		       struct krn_db *db);

#endif
