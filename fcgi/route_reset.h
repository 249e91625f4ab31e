#ifndef KRN_ROUTE_RESET_H
#define KRN_ROUTE_RESET_H

/* /api/v1/tenant/reset, /api/v1/gdpr/erasure. Contract section 3. */

#include "fcgi/route.h"

struct krn_reset_fields {
	struct krn_fields head;
	bool confirm;
};

struct krn_erasure_fields {
	struct krn_fields head;
	struct krn_str customer_id;
};

/* Errors of both: KRN_ERR_CONFLICT   a hold is set */
enum krn_err krn_route_tenant_reset(struct krn_request *request,
				    struct krn_response *response,
				    struct krn_error *err);
enum krn_err krn_route_gdpr_erasure(struct krn_request *request,
				    struct krn_response *response,
				    struct krn_error *err);

#endif
