#ifndef KRN_ROUTE_RETENTION_H
#define KRN_ROUTE_RETENTION_H

/* /api/v1/admin/retention-configs. Contract section 3. */

#include "fcgi/route.h"

struct krn_retention_fields {
	struct krn_fields head;
	struct krn_str data_class;
	int64_t retention_days;
	bool legal_hold;
};

enum krn_err krn_route_retention_list(struct krn_request *request,
				      struct krn_response *response,
				      struct krn_error *err);

/* Errors: KRN_ERR_CONFLICT  the class is busy, try again */
enum krn_err krn_route_retention_set(struct krn_request *request,
				     struct krn_response *response,
				     struct krn_error *err);

#endif
