#ifndef KRN_APPROVAL_H
#define KRN_APPROVAL_H

/*
 * Approvals: somebody asks for a change of the configuration, others decide on
 * it stage by stage. With the last stage the change is made, in the same
 * transaction and by the way of every other change (gitops/edit.h); when it
 * does not hold any more the approval stays pending.
 *
 * Source: contract section 2; spec, approvals API.
 */

#include "access/caller.h"
#include "base/value.h"
#include "queue/cron.h"
#include "store/db.h"

/* The body of a request as JSON has it; NULL: absent. */
struct krn_approval_fields {
	const struct krn_value *entity_type, *entity_id, *entity_name, *action,
	    *payload, *stages;
};

/*
 * Ask for an approval. The change is checked as it will be, but for the role
 * of who asks. With its audit row; the last thing before the commit.
 *
 * Ownership: *ret_document (JSON) lives in `arena`.
 * Errors:    KRN_ERR_INVALID   with all problems, also of the payload
 *            KRN_ERR_NOTFOUND  no such object to change
 *            KRN_ERR_CONFLICT  the change could not be made now
 */
KRN_MUSTCHECK enum krn_err
krn_approval_create(struct krn_arena *arena, struct krn_db *db,
		    const struct krn_caller *caller,
		    const struct krn_approval_fields *fields,
		    struct krn_str *ret_document, struct krn_error *err);

/*
 * Decide on the first stage that is pending. A rejection ends the approval;
 * the approval of the last stage makes the change, by the right of who
 * approves it. With audit rows; the last thing before the commit.
 *
 * Ownership: *ret_document (JSON) lives in `arena`.
 * Errors:    KRN_ERR_NOTFOUND   no such approval, or nothing there to change
 *            KRN_ERR_CONFLICT   it is decided or expired already; or the
 *                               change does not fit any more
 *            KRN_ERR_INVALID    the change breaks a rule by now
 *            KRN_ERR_FORBIDDEN  the role is too low for the stage or the
 *                               change; or who asked approves (four eyes)
 */
KRN_MUSTCHECK enum krn_err
krn_approval_decide(struct krn_arena *arena, struct krn_db *db,
		    const struct krn_caller *caller, struct krn_str id,
		    bool approve, struct krn_str comments,
		    struct krn_str *ret_document, struct krn_error *err);

/*
 * The cron job approvals-expire: pending approvals older than
 * APPROVAL_MAX_AGE_HOURS are expired. An audit row a tenant has their ids.
 * Errors: as krn_cron_run
 */
KRN_MUSTCHECK enum krn_err krn_approval_expire(struct krn_cron *cron,
					       struct krn_str request_id,
					       struct krn_buf *answer,
					       struct krn_error *err);

#endif
