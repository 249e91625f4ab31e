#ifndef KRN_CAMPAIGN_CHECK_H
#define KRN_CAMPAIGN_CHECK_H

/*
 * The fields of a campaign, checked against each other, their types and what
 * they refer to.
 *
 * Source: contract section 5.
 */

#include "campaign/campaign.h"

/*
 * Check all fields and give them as they are stored: JSON with every member,
 * defaults filled in.
 *
 * Ownership: *ret lives in `arena`.
 * Errors:    KRN_ERR_INVALID  with all problems
 */
KRN_MUSTCHECK enum krn_err
krn_campaign_check(struct krn_arena *arena, struct krn_db *db,
		   const struct krn_options *options,
		   const struct krn_caller *caller,
		   const struct krn_campaign_fields *fields,
		   struct krn_str *ret, struct krn_error *err);

#endif
