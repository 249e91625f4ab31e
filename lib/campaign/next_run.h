#ifndef KRN_NEXT_RUN_H
#define KRN_NEXT_RUN_H

/*
 * When a campaign runs next, from its fields: for campaigns.next_run_at.
 */

#include "store/db.h"

/*
 * `fields` are a campaign's validated fields as JSON, as they are stored. SQL
 * NULL when it is not active, has no schedule, or one that never fires.
 *
 * Ownership: *ret lives in `arena`.
 * Errors:    KRN_ERR_INVALID  fields that were not validated
 */
KRN_MUSTCHECK enum krn_err
krn_next_run(struct krn_arena *arena, struct krn_db *db, struct krn_str fields,
	     struct krn_param *ret, struct krn_error *err);

#endif
