#ifndef KRN_SPAWN_H
#define KRN_SPAWN_H

/*
 * A process of its own that outlives the request and this process.
 */

#include "base/error.h"

/*
 * Start `kaireon-worker --once`, which lies beside this program, in a session
 * of its own: with our environment, without our descriptors but stderr.
 * Errors: KRN_ERR_INTERNAL  it could not be started
 */
KRN_MUSTCHECK enum krn_err krn_spawn_worker(struct krn_error *err);

#endif
