/*
 * Alert rules.
 */

#include "base/base.h"

#include "fcgi/route_alert.h"

#include "fcgi/document.h"
#include "watch/alert.h"

enum krn_err
krn_route_alert_list(struct krn_request *request, struct krn_response *response,
		     struct krn_error *err)
{
	return krn_document_answer(request, response, KRN_STMT_alert_list, NULL,
				 "list", err);
}

enum krn_err
krn_route_alert_get(struct krn_request *request, struct krn_response *response,
		    struct krn_error *err)
{
	const struct krn_param params[] = {
	    krn_param_str(request->path_params[0])};

	return krn_document_answer(request, response, KRN_STMT_alert_get, params,
				 "alert rule", err);
}

enum krn_err
krn_route_alert_create(struct krn_request *request,
		       struct krn_response *response, struct krn_error *err)
{
	return krn_object_made(request, response, &krn_alert_kind, err);
}

enum krn_err
krn_route_alert_update(struct krn_request *request,
		       struct krn_response *response, struct krn_error *err)
{
	return krn_object_changed(request, response, &krn_alert_kind, err);
}

enum krn_err
krn_route_alert_delete(struct krn_request *request,
		       struct krn_response *response, struct krn_error *err)
{
	return krn_object_gone(request, response, &krn_alert_kind, err);
}

enum krn_err
krn_route_alert_events(struct krn_request *request,
		       struct krn_response *response, struct krn_error *err)
{
	const struct krn_alert_event_fields *fields = request->fields;
	const struct krn_param params[] = {
	    krn_param_str(request->path_params[0]),
	    krn_param_int(request->arena, fields->limit),
	};

	return krn_document_answer(request, response, KRN_STMT_alert_events,
				 params, "alert rule", err);
}

enum krn_err
krn_route_alert_test(struct krn_request *request, struct krn_response *response,
		     struct krn_error *err)
{
	struct krn_object object;
	enum krn_err e;

	response->status = 202;
	if ((e = krn_object_begin(request, &krn_alert_kind, &object, err)))
		return e;
	return krn_alert_test(&object, &response->body, err);
}
