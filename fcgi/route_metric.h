#ifndef KRN_ROUTE_METRIC_H
#define KRN_ROUTE_METRIC_H

/* /metrics: Prometheus text, for operators. Contract section 3. */

#include "fcgi/route.h"

/* Errors: KRN_ERR_UNAVAILABLE  the database is away */
enum krn_err krn_route_metrics(struct krn_request *request,
			       struct krn_response *response,
			       struct krn_error *err);

/* When a scrape has its answer: count a long queue for the next. */
enum krn_err krn_route_metrics_count(struct krn_request *request,
				     struct krn_error *err);

/* GET /api/v1/metrics/summary: JSON, without other tenants. */
enum krn_err krn_route_metrics_summary(struct krn_request *request,
				       struct krn_response *response,
				       struct krn_error *err);

#endif
