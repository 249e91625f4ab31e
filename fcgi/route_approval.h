#ifndef KRN_ROUTE_APPROVAL_H
#define KRN_ROUTE_APPROVAL_H

/* /api/v1/approvals. Source: spec, approvals API. */

#include "fcgi/route.h"

struct krn_approval_list_fields {
	struct krn_fields head;
	struct krn_str cursor; /* id of the last approval of the page before */
	struct krn_str status; /* .s NULL: pending */
	int64_t limit;
};

/* The body of a request; each member is as JSON has it, or NULL. */
struct krn_approval_body_fields {
	struct krn_fields head;
	const struct krn_value *action, *entity_id, *entity_name, *entity_type,
	    *payload, *stages;
};

struct krn_approval_decide_fields {
	struct krn_fields head;
	struct krn_str action, comments;
};

/*
 * Errors of all: KRN_ERR_NOTFOUND   no such approval of this tenant
 *                KRN_ERR_INVALID    with all problems of the body
 *                KRN_ERR_CONFLICT   it is decided, or its change does not fit
 *                KRN_ERR_FORBIDDEN  not by this caller
 */
enum krn_err krn_route_approval_list(struct krn_request *request,
				     struct krn_response *response,
				     struct krn_error *err);
enum krn_err krn_route_approval_create(struct krn_request *request,
				       struct krn_response *response,
				       struct krn_error *err);
enum krn_err krn_route_approval_get(struct krn_request *request,
				    struct krn_response *response,
				    struct krn_error *err);
enum krn_err krn_route_approval_decide(struct krn_request *request,
				       struct krn_response *response,
				       struct krn_error *err);

#endif
