#ifndef KRN_ROUTE_CACHE_H
#define KRN_ROUTE_CACHE_H

/* /api/v1/admin/cache. Contract section 3. */

#include "fcgi/route.h"

struct krn_cache_fields {
	struct krn_fields head;
	struct krn_str scope;
};

/* Errors: as krn_epoch_flush */
enum krn_err krn_route_cache_flush(struct krn_request *request,
				   struct krn_response *response,
				   struct krn_error *err);

#endif
