#ifndef KRN_NOTIFY_H
#define KRN_NOTIFY_H

/*
 * LISTEN and NOTIFY, to wake those who wait. A wake-up may be missed (the
 * connection was lost) and may come for nothing: whoever waits looks for work
 * at least once a poll interval. NOTIFY itself is part of the statements that
 * make work (pg_notify).
 */

#include <signal.h>

#include "store/db.h"

/*
 * Listen on the channel "kaireon_jobs", also after a reconnect. Outside a
 * transaction.
 */
KRN_MUSTCHECK enum krn_err krn_notify_listen(struct krn_db *db,
					     struct krn_error *err);

/*
 * Wait until something was notified, `timeout_ms` passed or a signal that
 * `mask` lets through arrived; then return. Outside a transaction.
 * *ret_notified tells whether there was something.
 * Errors: KRN_ERR_UNAVAILABLE  the connection is gone (after the pause)
 */
KRN_MUSTCHECK enum krn_err krn_notify_wait(struct krn_db *db, int timeout_ms,
					   const sigset_t *mask,
					   bool *ret_notified,
					   struct krn_error *err);

#endif
