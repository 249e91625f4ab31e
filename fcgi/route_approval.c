/*
 * Approvals. The documents are built by the database.
 */

#include "base/base.h"

#include "fcgi/route_approval.h"

#include "fcgi/document.h"
#include "lifecycle/approval.h"

enum krn_err
krn_route_approval_list(struct krn_request *request,
			struct krn_response *response, struct krn_error *err)
{
	const struct krn_approval_list_fields *fields = request->fields;
	const struct krn_param params[] = {
	    krn_param_str(fields->status.s ? fields->status
					   : KRN_STR("pending")),
	    krn_param_int(request->arena, fields->limit),
	    krn_param_str(fields->cursor.s ? fields->cursor : KRN_STR("")),
	};

	return krn_document_answer(request, response, KRN_STMT_approval_list,
				   params, "approval", err);
}

enum krn_err
krn_route_approval_get(struct krn_request *request,
		       struct krn_response *response, struct krn_error *err)
{
	const struct krn_param params[] = {
	    krn_param_str(request->path_params[0])};

	return krn_document_answer(request, response, KRN_STMT_approval_get,
				   params, "approval", err);
}

enum krn_err
krn_route_approval_create(struct krn_request *request,
			  struct krn_response *response, struct krn_error *err)
{
	const struct krn_approval_body_fields *body = request->fields;
	const struct krn_approval_fields fields = {
	    .entity_type = body->entity_type,
	    .entity_id = body->entity_id,
	    .entity_name = body->entity_name,
	    .action = body->action,
	    .payload = body->payload,
	    .stages = body->stages,
	};
	struct krn_str document;
	enum krn_err e;

	if ((e = krn_request_identify(request, err)) ||
	    (e = krn_approval_create(request->arena, request->db,
				     &request->caller, &fields, &document,
				     err)))
		return e;
	krn_buf_add_str(&response->body, document);
	response->status = 201;
	response->rows = 1;
	return KRN_OK;
}

enum krn_err
krn_route_approval_decide(struct krn_request *request,
			  struct krn_response *response, struct krn_error *err)
{
	const struct krn_approval_decide_fields *fields = request->fields;
	struct krn_str document;
	enum krn_err e;

	if ((e = krn_request_identify(request, err)) ||
	    (e = krn_approval_decide(request->arena, request->db,
				     &request->caller, request->path_params[0],
				     krn_str_eq_c(fields->action, "approve"),
				     fields->comments, &document, err)))
		return e;
	krn_buf_add_str(&response->body, document);
	response->rows = 1;
	return KRN_OK;
}
