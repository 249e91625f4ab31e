#ifndef KRN_WATCH_STEP_H
#define KRN_WATCH_STEP_H

/*
 * Jobs of watching, which are the runs of reports: what campaign/step.h is for
 * runs of campaigns.
 */

#include "base/option.h"
#include "queue/job.h"

bool krn_watch_step_is(const struct krn_job *job);

/* Carry it out and complete it. Errors: those of its parts. */
KRN_MUSTCHECK enum krn_err krn_watch_step_run(struct krn_arena *arena,
					      struct krn_db *db,
					      const struct krn_options *options,
					      const struct krn_job *job,
					      struct krn_error *err);

/* As krn_step_retry and krn_step_fail: a transaction of its own. */
KRN_MUSTCHECK enum krn_err
krn_watch_step_retry(struct krn_arena *arena, struct krn_db *db,
		     const struct krn_job *job, struct krn_str detail,
		     int64_t *ret_pause_us, struct krn_error *err);
KRN_MUSTCHECK enum krn_err krn_watch_step_fail(struct krn_arena *arena,
					       struct krn_db *db,
					       const struct krn_job *job,
					       struct krn_str reason,
					       struct krn_error *err);

#endif
