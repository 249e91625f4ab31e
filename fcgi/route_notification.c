/*
 * Notification providers, messages to them, deliveries.
 */

#include "base/base.h"

#include "fcgi/route_notification.h"

#include "fcgi/document.h"
#include "watch/provider.h"
#include "watch/send.h"

enum krn_err
krn_route_provider_list(struct krn_request *request,
			struct krn_response *response, struct krn_error *err)
{
	return krn_document_answer(request, response, KRN_STMT_provider_list,
				 NULL, "list", err);
}

enum krn_err
krn_route_provider_get(struct krn_request *request,
		       struct krn_response *response, struct krn_error *err)
{
	const struct krn_param params[] = {
	    krn_param_str(request->path_params[0])};

	return krn_document_answer(request, response, KRN_STMT_provider_get,
				 params, "notification provider", err);
}

enum krn_err
krn_route_provider_create(struct krn_request *request,
			  struct krn_response *response, struct krn_error *err)
{
	return krn_object_made(request, response, &krn_provider_kind, err);
}

enum krn_err
krn_route_provider_update(struct krn_request *request,
			  struct krn_response *response, struct krn_error *err)
{
	return krn_object_changed(request, response, &krn_provider_kind, err);
}

enum krn_err
krn_route_provider_delete(struct krn_request *request,
			  struct krn_response *response, struct krn_error *err)
{
	return krn_object_gone(request, response, &krn_provider_kind, err);
}

enum krn_err
krn_route_notification_send(struct krn_request *request,
			    struct krn_response *response,
			    struct krn_error *err)
{
	const struct krn_object_fields *fields = request->fields;
	struct krn_object object;
	enum krn_err e;

	response->status = 202;
	if ((e = krn_object_begin(request, NULL, &object, err)))
		return e;
	return krn_send(&object, &fields->form, &response->body, err);
}

enum krn_err
krn_route_delivery_list(struct krn_request *request,
			struct krn_response *response, struct krn_error *err)
{
	const struct krn_delivery_list_fields *fields = request->fields;
	const struct krn_param params[] = {
	    krn_param_int(request->arena, fields->limit),
	    krn_param_int(request->arena, fields->offset),
	    krn_param_str(fields->source_id),
	    krn_param_str(fields->status),
	};

	return krn_document_answer(request, response, KRN_STMT_outbox_list,
				 params, "list", err);
}
