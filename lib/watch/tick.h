#ifndef KRN_TICK_H
#define KRN_TICK_H

/*
 * The tick: what is due of all tenants. Alert rules are evaluated, a query a
 * metric for all rules; due reports and campaigns become runs; then the
 * outbox is delivered as long as the budget lasts.
 *
 * What is due is read from stored times, never from a window around now: a
 * tick that comes late finds everything, once. A rule's, a schedule's, a
 * tenant's failure is told in `errors` and stops nobody else.
 *
 * Source: contract section 2, POST /api/cron/tick; DESIGN section 6, tick.
 */

#include "queue/cron.h"
#include "watch/deliver.h"

/*
 * `cron` is filled but for state.
 * Errors: as krn_cron_run
 */
KRN_MUSTCHECK enum krn_err krn_tick(struct krn_cron *cron,
				    krn_deliver_failed_fn delivery_failed,
				    struct krn_buf *answer,
				    struct krn_error *err);

#endif
