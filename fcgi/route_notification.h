#ifndef KRN_ROUTE_NOTIFICATION_H
#define KRN_ROUTE_NOTIFICATION_H

/*
 * Notification providers, messages to them, and what became of deliveries.
 */

#include "fcgi/object.h"

struct krn_delivery_list_fields {
	struct krn_fields head;
	int64_t limit, offset;
	struct krn_str source_id, status;
};

enum krn_err krn_route_provider_list(struct krn_request *request,
				     struct krn_response *response,
				     struct krn_error *err);
enum krn_err krn_route_provider_get(struct krn_request *request,
				    struct krn_response *response,
				    struct krn_error *err);
enum krn_err krn_route_provider_create(struct krn_request *request,
				       struct krn_response *response,
				       struct krn_error *err);
enum krn_err krn_route_provider_update(struct krn_request *request,
				       struct krn_response *response,
				       struct krn_error *err);
enum krn_err krn_route_provider_delete(struct krn_request *request,
				       struct krn_response *response,
				       struct krn_error *err);
enum krn_err krn_route_notification_send(struct krn_request *request,
					 struct krn_response *response,
					 struct krn_error *err);
enum krn_err krn_route_delivery_list(struct krn_request *request,
				     struct krn_response *response,
				     struct krn_error *err);

#endif
