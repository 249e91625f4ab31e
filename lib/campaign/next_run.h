#ifndef KRN_NEXT_RUN_H
#define KRN_NEXT_RUN_H

/*
 * When a campaign runs next, from its fields: for campaigns.next_run_at.
 */

#include "store/db.h"

/*
 * The first time after `after_us`. `fields` are a campaign's validated fields
 * as JSON, as they are stored. KRN_SCHEDULE_NEVER when it is not active, has
 * no schedule, or one that does not fire any more.
 *
 * Errors: KRN_ERR_INVALID  fields that were not validated
 */
KRN_MUSTCHECK enum krn_err krn_next_run(struct krn_arena *arena,
					struct krn_db *db,
					struct krn_str fields, int64_t after_us,
					int64_t *ret_us, struct krn_error *err);

/*
 * As it is stored: never is SQL NULL.
 * Ownership: *ret lives in `arena`.
 * Errors:    as krn_arena_fail
 */
KRN_MUSTCHECK enum krn_err krn_next_run_param(struct krn_arena *arena,
					      int64_t next_us,
					      struct krn_param *ret,
					      struct krn_error *err);

#endif
