#ifndef KRN_ROUTE_CLEANUP_H
#define KRN_ROUTE_CLEANUP_H

/* /api/v1/cleanup: what a tenant may clean by itself. Contract section 3. */

#include "fcgi/route.h"

enum krn_err krn_route_cleanup(struct krn_request *request,
			       struct krn_response *response,
			       struct krn_error *err);

#endif
