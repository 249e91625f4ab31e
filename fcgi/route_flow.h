#ifndef KRN_ROUTE_FLOW_H
#define KRN_ROUTE_FLOW_H

/* /api/v1/decision-flows. Source: spec, decision flows API. */

#include "fcgi/route.h"

struct krn_flow_list_fields {
	struct krn_fields head;
	struct krn_str cursor; /* id of the last flow of the page before */
	int64_t limit;
};

/* The body of a flow; each member is as JSON has it, or NULL. */
struct krn_flow_fields {
	struct krn_fields head;
	const struct krn_value *auto_assembly, *coupling_override, *description,
	    *draft_config, *is_default, *key, *name, *row_version, *status;
};

struct krn_flow_publish_fields {
	struct krn_fields head;
	struct krn_str flow_id, notes;
	int64_t row_version; /* -1: none was given */
};

struct krn_flow_version_fields {
	struct krn_fields head;
	int64_t cursor, limit;
};

/*
 * Errors of all: KRN_ERR_NOTFOUND   no such flow or version of this tenant
 *                KRN_ERR_INVALID    with all problems of the body
 *                KRN_ERR_CONFLICT   name or key are taken, the rowVersion is
 *                                   another, the flow is used or published
 */
enum krn_err krn_route_flow_list(struct krn_request *request,
				 struct krn_response *response,
				 struct krn_error *err);
enum krn_err krn_route_flow_create(struct krn_request *request,
				   struct krn_response *response,
				   struct krn_error *err);
enum krn_err krn_route_flow_ensure_base(struct krn_request *request,
					struct krn_response *response,
					struct krn_error *err);
enum krn_err krn_route_flow_publish(struct krn_request *request,
				    struct krn_response *response,
				    struct krn_error *err);
enum krn_err krn_route_flow_get(struct krn_request *request,
				struct krn_response *response,
				struct krn_error *err);
enum krn_err krn_route_flow_update(struct krn_request *request,
				   struct krn_response *response,
				   struct krn_error *err);
enum krn_err krn_route_flow_delete(struct krn_request *request,
				   struct krn_response *response,
				   struct krn_error *err);
enum krn_err krn_route_flow_versions(struct krn_request *request,
				     struct krn_response *response,
				     struct krn_error *err);
enum krn_err krn_route_flow_version(struct krn_request *request,
				    struct krn_response *response,
				    struct krn_error *err);

#endif
