#ifndef KRN_ROUTE_PENDING_H
#define KRN_ROUTE_PENDING_H

/* Routes that the contract has and this release does not. */

#include "fcgi/route.h"

/* Errors: KRN_ERR_NOT_IMPLEMENTED, to callers with the right to call */
enum krn_err krn_route_pending(struct krn_request *request,
			       struct krn_response *response,
			       struct krn_error *err);

#endif
