#ifndef KRN_EXPLAIN_H
#define KRN_EXPLAIN_H

/*
 * Why a run decided for a customer as it did: the decision is made again, with
 * the configuration, the moment and the interactions that the run was planned
 * with. Attributes and segments are those of now.
 */

#include "base/option.h"
#include "store/db.h"

/*
 * In an open transaction, of the run's tenant:
 *
 *	{"runId", "campaignId", "decision": {…},        krn_decide_explain_json
 *	 "ledger": [{"rank", "status", "offerId", "channelId", "score",
 *	  "error"}]}                      what the run wrote, best first; status
 *	                                  "dropped": by volume limits
 *
 * Ownership: *ret lives in `arena`.
 * Errors:    KRN_ERR_NOTFOUND  no such run, it was not planned yet, or its
 *                              segment has no such customer
 *            KRN_ERR_INVALID   the run could not be planned now
 */
KRN_MUSTCHECK enum krn_err
krn_run_explain(struct krn_arena *arena, struct krn_db *db,
		const struct krn_options *options, struct krn_str run_id,
		struct krn_str customer_id, struct krn_str *ret,
		struct krn_error *err);

#endif
