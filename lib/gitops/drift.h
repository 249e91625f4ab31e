#ifndef KRN_DRIFT_H
#define KRN_DRIFT_H

/*
 * Drift: how the live configuration of each tenant differs from its snapshot,
 * which is its export as the last real apply left it, or one that was set.
 * The check only looks: it keeps the numbers for the gauge
 * kaireon_gitops_drift_resources and writes an audit row when the drift is
 * another than at the last one.
 *
 * `op` is what applying the snapshot with prune would do.
 *
 * Source: contract section 2, gitops-drift-check.
 */

#include "queue/cron.h"

/*
 * Run the job over all tenants. See krn_cron_run.
 * Errors: KRN_ERR_UNAVAILABLE  the database is away before anything was done
 */
KRN_MUSTCHECK enum krn_err krn_drift_check(struct krn_cron *cron,
					   struct krn_str request_id,
					   struct krn_buf *answer,
					   struct krn_error *err);

#endif
