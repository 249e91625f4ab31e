#ifndef KRN_CAMPAIGN_H
#define KRN_CAMPAIGN_H

/*
 * Campaigns: a flow, a segment, a schedule, limits and a file; and the runs
 * that they start.
 *
 * Source: contract section 5; spec, campaigns API.
 */

#include "access/caller.h"
#include "base/option.h"
#include "base/value.h"
#include "store/db.h"

/* The fields as a body has them; NULL: absent. */
struct krn_campaign_fields {
	const struct krn_value *decision_flow_id, *segment_id, *name,
	    *description, *status, *schedule_type, *schedule_day_of_week,
	    *schedule_day_of_month, *schedule_time, *schedule_timezone,
	    *schedule_cron, *volume_constraints, *frequency_caps, *file_config,
	    *channel_ids;
};

/*
 * Make a campaign of the transaction's tenant. Ends with the audit row, so it
 * is the last thing before the commit, as is each change below.
 *
 * Ownership: *ret_document (JSON, the whole object) lives in `arena`.
 * Errors:    KRN_ERR_INVALID  with all problems
 */
KRN_MUSTCHECK enum krn_err
krn_campaign_create(struct krn_arena *arena, struct krn_db *db,
		    const struct krn_options *options,
		    const struct krn_caller *caller,
		    const struct krn_campaign_fields *fields,
		    struct krn_str *ret_document, struct krn_error *err);

/*
 * Change a campaign: what `fields` has, the rest stays; the result is checked
 * as a new one is. The campaign is locked until the transaction ends.
 *
 * Ownership: *fields is filled with what is stored; *ret_document lives in
 *            `arena`.
 * Errors:    KRN_ERR_NOTFOUND  no such campaign
 *            KRN_ERR_INVALID   with all problems
 */
KRN_MUSTCHECK enum krn_err
krn_campaign_update(struct krn_arena *arena, struct krn_db *db,
		    const struct krn_options *options,
		    const struct krn_caller *caller, struct krn_str id,
		    struct krn_campaign_fields *fields,
		    struct krn_str *ret_document, struct krn_error *err);

#endif
