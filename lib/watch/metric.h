#ifndef KRN_METRIC_H
#define KRN_METRIC_H

/*
 * Metrics as Prometheus reads them: text format 0.0.4. Each family has its
 * help and type, also while it has no series.
 *
 * Source: contract section 3, GET /metrics.
 */

#include "base/buf.h"
#include "store/db.h"

/*
 * Write the families that the database knows, of all tenants. In a
 * transaction of the worker's role.
 * Errors: KRN_ERR_UNAVAILABLE
 */
KRN_MUSTCHECK enum krn_err krn_metrics_write(struct krn_db *db,
					     struct krn_buf *text,
					     struct krn_error *err);

#endif
