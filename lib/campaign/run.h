#ifndef KRN_RUN_H
#define KRN_RUN_H

/*
 * Runs of a campaign, as clients start and stop them. A run is moved on by
 * its jobs (campaign/step.h); who holds or ends it takes the jobs away by a
 * new fence, so that a step under way cannot commit. Each change ends with its
 * audit row, so it is the last thing before the commit.
 *
 * Source: contract section 5.
 */

#include "access/caller.h"
#include "store/db.h"

/*
 * Start a run: its row and the job of its first step.
 *
 * Ownership: *ret_document (JSON of the run) lives in `arena`.
 * Errors:    KRN_ERR_NOTFOUND  no such campaign
 *            KRN_ERR_CONFLICT  archived, a run is open, or no batch channel
 */
KRN_MUSTCHECK enum krn_err
krn_run_trigger(struct krn_arena *arena, struct krn_db *db,
		const struct krn_caller *caller, struct krn_str campaign_id,
		const char *triggered_by, struct krn_str *ret_document,
		struct krn_error *err);

enum krn_run_move { KRN_RUN_PAUSE, KRN_RUN_RESUME, KRN_RUN_CANCEL };

/*
 * Pause, resume or cancel. A paused run keeps its jobs, which nobody takes.
 *
 * Ownership: *ret_document lives in `arena`.
 * Errors:    KRN_ERR_NOTFOUND  no such run
 *            KRN_ERR_CONFLICT  its state does not allow it
 */
KRN_MUSTCHECK enum krn_err
krn_run_move(struct krn_arena *arena, struct krn_db *db,
	     const struct krn_caller *caller, struct krn_str campaign_id,
	     struct krn_str run_id, enum krn_run_move move,
	     struct krn_str *ret_document, struct krn_error *err);

/*
 * In a transaction that cancelled or failed the run: have the file removed
 * that its last step may have left. Queued.
 */
void krn_run_discard(struct krn_arena *arena, struct krn_db *db,
		     struct krn_str run_id);

/*
 * Execute with a flow and a segment's view: a new run when `id` is a
 * campaign's, else the run of that id from its beginning.
 *
 * Ownership: *ret_run_id lives in `arena`.
 * Errors:    KRN_ERR_NOTFOUND  no such campaign or run
 *            KRN_ERR_INVALID   no such flow or view, with all problems
 *            KRN_ERR_CONFLICT  it is running, or cannot be restarted
 */
KRN_MUSTCHECK enum krn_err
krn_run_inline(struct krn_arena *arena, struct krn_db *db,
	       const struct krn_caller *caller, struct krn_str id,
	       struct krn_str flow_id, struct krn_str view_name,
	       struct krn_str *ret_run_id, struct krn_error *err);

/*
 * Delete a campaign with its runs; their ledgers and files go by a job.
 * Errors: KRN_ERR_NOTFOUND  no such campaign
 *         KRN_ERR_CONFLICT  a run is open, and not `force`
 */
KRN_MUSTCHECK enum krn_err
krn_campaign_delete(struct krn_arena *arena, struct krn_db *db,
		    const struct krn_caller *caller, struct krn_str campaign_id,
		    bool force, struct krn_error *err);

#endif
