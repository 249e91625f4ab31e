#ifndef KRN_ROUTE_METRIC_H
#define KRN_ROUTE_METRIC_H

/* /metrics: Prometheus text, for operators. Contract section 3. */

#include "fcgi/route.h"

/* Errors: KRN_ERR_UNAVAILABLE  the database is away */
enum krn_err krn_route_metrics(struct krn_request *request,
			       struct krn_response *response,
			       struct krn_error *err);

#endif
