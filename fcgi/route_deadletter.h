#ifndef KRN_ROUTE_DEADLETTER_H
#define KRN_ROUTE_DEADLETTER_H

/* /api/v1/admin/dlq. Contract section 3. */

#include "fcgi/route.h"

struct krn_deadletter_list_fields {
	struct krn_fields head;
	int64_t limit;
	struct krn_str topic;
};

struct krn_deadletter_move_fields {
	struct krn_fields head;
	struct krn_str action, topic;
	const struct krn_value *event_ids;
};

/* Errors of both: KRN_ERR_INVALID  with all problems */
enum krn_err krn_route_deadletter_list(struct krn_request *request,
				       struct krn_response *response,
				       struct krn_error *err);
enum krn_err krn_route_deadletter_move(struct krn_request *request,
				       struct krn_response *response,
				       struct krn_error *err);

#endif
