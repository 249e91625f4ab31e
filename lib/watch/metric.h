#ifndef KRN_METRIC_H
#define KRN_METRIC_H

/*
 * Metrics: what the processes of this host counted (base/registry.h) and what
 * the database knows. As Prometheus reads them, text format 0.0.4, or as JSON.
 * Each family has its help and type, also while it has no series.
 *
 * Source: contract section 3, GET /metrics and metrics/summary.
 */

#include "base/buf.h"
#include "store/db.h"

/*
 * Write all families. In a transaction of the worker's role: of all tenants;
 * of the API's role: of its tenant and of none.
 * Errors: KRN_ERR_UNAVAILABLE
 */
KRN_MUSTCHECK enum krn_err krn_metrics_write(struct krn_db *db,
					     struct krn_buf *text,
					     struct krn_error *err);

/*
 * Count the jobs of a long queue for those who ask next: to be called when a
 * scrape has its answer, in a process of the worker's role. Mostly does
 * nothing.
 * Errors: KRN_ERR_UNAVAILABLE
 */
KRN_MUSTCHECK enum krn_err krn_metrics_count(struct krn_arena *arena,
					     struct krn_db *db,
					     struct krn_error *err);

/* {name: {"name", "help", "type", "values": [{"labels", "value", "metricName"?}]}} */
KRN_MUSTCHECK enum krn_err krn_metrics_write_json(struct krn_db *db,
						  struct krn_buf *text,
						  struct krn_error *err);

#endif
