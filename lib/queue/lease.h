#ifndef KRN_LEASE_H
#define KRN_LEASE_H

/*
 * The lease of the job at hand. While its step waits for the database, a
 * connection of its own renews the lease, three times in its span; so a step
 * may take as long as it needs, and a worker that hangs, in whatever it was
 * doing, has lost its job when the lease is over. A step that learns that it
 * lost its job, or that its run is held or gone, gives up.
 *
 * Source: doc/decisions/004-leases.md
 */

#include "base/option.h"
#include "queue/job.h"

struct krn_lease {
	struct krn_arena *arena; /* private, all */
	struct krn_db *db;
	const struct krn_job *job;
	int64_t seconds;
	bool is_lost;
};

/*
 * For one worker. Nothing is connected until a lease is to be renewed.
 * False when there is no memory.
 */
KRN_MUSTCHECK bool krn_lease_init(struct krn_lease *lease,
				  const struct krn_options *options);
void krn_lease_release(struct krn_lease *lease);

/* Keep `job`'s lease while `db` works for it. */
void krn_lease_begin(struct krn_lease *lease, struct krn_db *db,
		     const struct krn_job *job);

/* The step is over. True: the job was somebody else's before its end. */
bool krn_lease_end(struct krn_lease *lease, struct krn_db *db);

#endif
