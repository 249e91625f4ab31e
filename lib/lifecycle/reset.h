#ifndef KRN_RESET_H
#define KRN_RESET_H

/*
 * A playground is emptied, in transactions of bounded size:
 *
 *	krn_reset_begin    runs are cancelled; an audit row says who began
 *	krn_reset_some     until nothing is left; each in its own transaction
 *	krn_reset_end      defaults, and an audit row that it is done
 *
 * Each checks again that the tenant is a playground without a hold. Who dies
 * or stops in between leaves a part; the next call goes on. Files of runs and
 * what is left of their ledgers are removed by a job, also those of runs that
 * were triggered meanwhile.
 *
 * And a customer is erased, in one transaction.
 *
 * Source: contract section 3, tenant/reset; spec/facts.md 9, erasure.
 * Errors of all: KRN_ERR_FORBIDDEN  not a playground
 *                KRN_ERR_CONFLICT   a hold is set, or something is in use for
 *                                   longer than LOCK_TIMEOUT_MS
 */

#include "access/caller.h"
#include "store/db.h"

KRN_MUSTCHECK enum krn_err krn_reset_begin(struct krn_arena *arena,
					   struct krn_db *db,
					   const struct krn_caller *caller,
					   struct krn_error *err);

KRN_MUSTCHECK enum krn_err krn_reset_some(struct krn_arena *arena,
					  struct krn_db *db, bool *ret_more,
					  struct krn_error *err);

KRN_MUSTCHECK enum krn_err krn_reset_end(struct krn_arena *arena,
					 struct krn_db *db,
					 const struct krn_caller *caller,
					 struct krn_error *err);

/*
 * Erase a customer. The audit row names it by its SHA-256 only. What was
 * exported already stays in its files; the erased interactions are marked, so
 * that these can be told from an altered lake.
 *
 * Ownership: *ret_erased, a JSON object of counts, lives in the transaction's
 *            arena.
 */
KRN_MUSTCHECK enum krn_err
krn_customer_erase(struct krn_arena *arena, struct krn_db *db,
		   const struct krn_caller *caller, struct krn_str customer_id,
		   struct krn_str *ret_erased, struct krn_error *err);

#endif
