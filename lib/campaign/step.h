#ifndef KRN_STEP_H
#define KRN_STEP_H

/*
 * The steps of a campaign run, each a job: plan, decide (one a chunk),
 * allocate, record (of kind allocate, one a chunk, when there are volume limits),
 * finish. A step's effect and the end of its job commit together,
 * so a step that is killed was never there, and one that is done twice is
 * done once.
 *
 * Source: DESIGN section 6, a campaign run; contract section 7.
 */

#include "base/option.h"
#include "queue/job.h"

#define KRN_STEP_TOPIC "campaign_runs"

struct krn_step {
	struct krn_arena *arena;
	struct krn_db *db;
	const struct krn_options *options;
	const struct krn_job *job;
	struct krn_str run_id; /* of the payload */
};

/*
 * Do the job's step.
 * Errors: KRN_ERR_INVALID      the run cannot succeed; the message says why
 *         KRN_ERR_CONFLICT     another worker has the job
 *         KRN_ERR_NOTFOUND     unknown kind, or the run is gone
 *         KRN_ERR_UNAVAILABLE, KRN_ERR_INTERNAL  worth another attempt
 */
KRN_MUSTCHECK enum krn_err krn_step_run(struct krn_arena *arena,
					struct krn_db *db,
					const struct krn_options *options,
					const struct krn_job *job,
					struct krn_error *err);

/*
 * The attempt failed and the job will be tried again, after *ret_pause_us: the
 * run says why it is held up, `reason`, until it is complete; the job keeps
 * `detail`. A transaction of its own.
 * Errors: KRN_ERR_CONFLICT  another worker has the job
 */
KRN_MUSTCHECK enum krn_err krn_step_retry(struct krn_arena *arena,
					  struct krn_db *db,
					  const struct krn_job *job,
					  struct krn_str reason,
					  struct krn_str detail,
					  int64_t *ret_pause_us,
					  struct krn_error *err);

/*
 * The run fails with a reason; its job is buried. A transaction of its own.
 * Errors: KRN_ERR_CONFLICT  another worker has the job
 */
KRN_MUSTCHECK enum krn_err krn_step_fail(struct krn_arena *arena,
					 struct krn_db *db,
					 const struct krn_job *job,
					 struct krn_str reason,
					 struct krn_error *err);

/* One function a kind. */
KRN_MUSTCHECK enum krn_err krn_step_plan(struct krn_step *step,
					 struct krn_error *err);
KRN_MUSTCHECK enum krn_err krn_step_decide(struct krn_step *step,
					   struct krn_error *err);
KRN_MUSTCHECK enum krn_err krn_step_allocate(struct krn_step *step,
					     struct krn_error *err);
KRN_MUSTCHECK enum krn_err krn_step_record(struct krn_step *step,
					   struct krn_error *err);
KRN_MUSTCHECK enum krn_err krn_step_purge(struct krn_step *step,
					  struct krn_error *err);
KRN_MUSTCHECK enum krn_err krn_step_discard(struct krn_step *step,
					    struct krn_error *err);
KRN_MUSTCHECK enum krn_err krn_step_finish(struct krn_step *step,
					   struct krn_error *err);

#endif
