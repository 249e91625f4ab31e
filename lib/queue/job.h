#ifndef KRN_JOB_H
#define KRN_JOB_H

/*
 * Jobs: rows of one table, enqueued in the transaction that needs them.
 *
 * A worker claims a job under a lease and a fencing token. The lease belongs
 * to the worker's database session: when the session ends, however it ends,
 * the job is free again at once; a worker that hangs loses it when the lease
 * is over (lease.h). A job is completed in the transaction of its effect, and
 * only with the token of the last claim, so of two workers that believe to
 * have a job one commits.
 *
 * Source: DESIGN section 6, queue; doc/decisions/004-leases.md.
 */

#include "base/value.h"
#include "store/db.h"

struct krn_job {
	struct krn_str tenant_id, id, topic, kind;
	const struct krn_value *payload; /* NULL: it cannot be read */
	int64_t fence;
	int64_t attempts; /* with this one */
	int64_t max_attempts;
	struct krn_str place; /* of its row when it was claimed */
};

/*
 * Queue a job of the transaction's tenant; the workers wake on commit.
 * `payload` is JSON. Failures are told by the flush.
 */
void krn_job_enqueue(struct krn_arena *arena, struct krn_db *db,
		     const char *topic, const char *kind,
		     struct krn_str payload);

/*
 * Where the scan for due jobs begins; a worker has one, zeroed at first. With
 * an old snapshot held open anywhere, entries of jobs that are done stay in
 * the index, and a scan from its left end would read them all.
 */
struct krn_job_mark {
	int64_t low, newer, older; /* private */
	int64_t next_move_us, aged_us, next_full_us, look_us;
	char after[64]; /* the tenant whose turn it was last */
};

/*
 * Claim up to `max` due jobs, tenants taking turns. A transaction of its own;
 * on an error it is open still.
 *
 * Ownership: the jobs live in `arena`.
 * Errors:    KRN_ERR_UNAVAILABLE
 */
KRN_MUSTCHECK enum krn_err
krn_jobs_claim(struct krn_arena *arena, struct krn_db *db,
	       struct krn_job_mark *mark, int64_t lease_seconds, size_t max,
	       struct krn_job **ret, size_t *ret_nr, struct krn_error *err);

/* One job; ret->id.s is NULL when there is none. */
KRN_MUSTCHECK enum krn_err
krn_job_claim(struct krn_arena *arena, struct krn_db *db,
	      struct krn_job_mark *mark, int64_t lease_seconds,
	      struct krn_job *ret, struct krn_error *err);

/*
 * Jobs whose effects are done elsewhere: end them all, in a transaction of
 * its own. *ret_completed counts those that were still ours; the others were
 * taken over and are somebody else's to complete.
 */
KRN_MUSTCHECK enum krn_err krn_jobs_complete(struct krn_arena *arena,
					     struct krn_db *db,
					     const struct krn_job *jobs,
					     size_t nr, size_t *ret_completed,
					     struct krn_error *err);

/*
 * The job's effect is in this transaction, which ends it. From here to the
 * commit the job is ours for sure, as long as the session lives: its lease
 * (lease.h) is renewed no more.
 * Errors: KRN_ERR_CONFLICT  another worker has the job; do not commit
 */
KRN_MUSTCHECK enum krn_err krn_job_end(struct krn_arena *arena,
				       struct krn_db *db,
				       const struct krn_job *job,
				       struct krn_error *err);

/*
 * End the job and commit.
 * Errors: KRN_ERR_CONFLICT  another worker has the job; nothing was committed
 */
KRN_MUSTCHECK enum krn_err krn_job_complete(struct krn_arena *arena,
					    struct krn_db *db,
					    const struct krn_job *job,
					    struct krn_error *err);

/*
 * The pause after so many attempts: it doubles, from a second to ten minutes,
 * give or take a quarter.
 */
double krn_job_pause_seconds(int64_t attempts);

/*
 * The attempt failed: in this transaction, let the job be tried again after a
 * pause (krn_job_pause_seconds).
 * Errors: KRN_ERR_CONFLICT  another worker has the job; do not commit
 */
KRN_MUSTCHECK enum krn_err
krn_job_retry(struct krn_arena *arena, struct krn_db *db,
	      const struct krn_job *job, struct krn_str reason,
	      int64_t *ret_pause_us, struct krn_error *err);

/*
 * The job failed for good: move it, in this transaction, to the dead letters.
 * Errors: KRN_ERR_CONFLICT  another worker has the job; do not commit
 */
KRN_MUSTCHECK enum krn_err krn_job_bury(struct krn_arena *arena,
					struct krn_db *db,
					const struct krn_job *job,
					struct krn_str reason,
					struct krn_error *err);

/* Set the transaction's tenant; queued. For worker and ctl. */
void krn_tenant_set(struct krn_db *db, struct krn_str tenant_id);

#endif
