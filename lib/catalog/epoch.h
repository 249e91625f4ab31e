#ifndef KRN_EPOCH_H
#define KRN_EPOCH_H

/*
 * The configuration epoch of a tenant: every change of the decisioning
 * configuration moves it, in the change's transaction. Who decides holds the
 * epoch (statement epoch_hold) until its commit, and compiles the
 * configuration anew when the epoch is another than that of what it has.
 *
 * Source: DESIGN section 5, config epoch.
 */

#include "access/caller.h"
#include "store/db.h"

/*
 * The emergency flush: wait for whoever decides, move the epoch, write the
 * audit row. When the transaction has committed no process of any host decides
 * with what it compiled before. `scope` says what the operator wanted flushed;
 * there is one epoch, so it is always all of it.
 * Errors: KRN_ERR_CONFLICT  a decision took longer than LOCK_TIMEOUT_MS
 */
KRN_MUSTCHECK enum krn_err krn_epoch_flush(struct krn_arena *arena,
					   struct krn_db *db,
					   const struct krn_caller *caller,
					   struct krn_str scope,
					   struct krn_error *err);

#endif
