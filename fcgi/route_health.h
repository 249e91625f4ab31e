#ifndef KRN_ROUTE_HEALTH_H
#define KRN_ROUTE_HEALTH_H

/* /healthz: the process answers. /readyz: it can do its work. */

#include "fcgi/route.h"

/* Errors: none */
enum krn_err krn_route_health(struct krn_request *request,
			      struct krn_response *response,
			      struct krn_error *err);

/* Errors: KRN_ERR_UNAVAILABLE  database away, or its schema is another's */
enum krn_err krn_route_ready(struct krn_request *request,
			     struct krn_response *response,
			     struct krn_error *err);

#endif
