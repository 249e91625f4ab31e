#ifndef KRN_WORKER_DELIVER_H
#define KRN_WORKER_DELIVER_H

/*
 * Deliveries beside the jobs: a thread with a connection of its own, so that
 * neither waits for the other. It shares nothing with the worker but the
 * options, which nobody changes.
 */

#include "base/option.h"

/* Start it. Errors: KRN_ERR_UNAVAILABLE. */
KRN_MUSTCHECK enum krn_err
krn_worker_deliver_start(const struct krn_options *options,
			 struct krn_error *err);

/* End it: what is under way is delivered first. Harmless when none runs. */
void krn_worker_deliver_stop(void);

/* What is due now, in this thread; returns when it is done. */
void krn_worker_deliver_once(const struct krn_options *options);

#endif
