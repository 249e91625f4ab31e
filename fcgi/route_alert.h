#ifndef KRN_ROUTE_ALERT_H
#define KRN_ROUTE_ALERT_H

/*
 * Alert rules: watch/alert.h.
 */

#include "fcgi/object.h"

struct krn_alert_event_fields {
	struct krn_fields head;
	int64_t limit;
};

enum krn_err krn_route_alert_list(struct krn_request *request,
				  struct krn_response *response,
				  struct krn_error *err);
enum krn_err krn_route_alert_get(struct krn_request *request,
				 struct krn_response *response,
				 struct krn_error *err);
enum krn_err krn_route_alert_create(struct krn_request *request,
				    struct krn_response *response,
				    struct krn_error *err);
enum krn_err krn_route_alert_update(struct krn_request *request,
				    struct krn_response *response,
				    struct krn_error *err);
enum krn_err krn_route_alert_delete(struct krn_request *request,
				    struct krn_response *response,
				    struct krn_error *err);
enum krn_err krn_route_alert_events(struct krn_request *request,
				    struct krn_response *response,
				    struct krn_error *err);
enum krn_err krn_route_alert_test(struct krn_request *request,
				  struct krn_response *response,
				  struct krn_error *err);

#endif
