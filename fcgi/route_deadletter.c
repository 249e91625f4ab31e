/*
 * Dead letters for operators.
 */

#include "base/base.h"

#include "fcgi/route_deadletter.h"

#include "base/json_out.h"
#include "fcgi/document.h"
#include "fcgi/fields.h"
#include "queue/deadletter.h"

enum krn_err
krn_route_deadletter_list(struct krn_request *request,
			  struct krn_response *response, struct krn_error *err)
{
	const struct krn_deadletter_list_fields *fields = request->fields;
	const struct krn_param params[] = {
	    krn_param_int(request->arena, fields->limit),
	    krn_param_str(fields->topic),
	};

	return krn_document_list(request, response, KRN_STMT_deadletter_list,
				 params, err);
}

enum krn_err
krn_route_deadletter_move(struct krn_request *request,
			  struct krn_response *response, struct krn_error *err)
{
	const struct krn_deadletter_move_fields *fields = request->fields;
	const bool is_retry = krn_str_eq_c(fields->action, "retry");
	struct krn_deadletter_filter filter = {.topic = fields->topic};
	struct krn_json_out out;
	int64_t count = 0;
	enum krn_err e;

	if ((e = krn_request_identify(request, err)))
		return e;
	/* null is as absent; an empty list matches nothing */
	if (fields->event_ids && fields->event_ids->type != KRN_VALUE_NULL &&
	    (e = krn_fields_strings(request, fields->event_ids, "eventIds",
				    &filter.ids, &filter.ids_nr, err)))
		return e;
	e = is_retry
		? krn_deadletter_retry(request->arena, request->db,
				       &request->caller, &filter, &count, err)
		: krn_deadletter_purge(request->arena, request->db,
				       &request->caller, &filter, &count, err);
	if (e)
		return e;
	krn_json_init(&out, &response->body);
	krn_json_obj_open(&out, NULL);
	krn_json_str(&out, "action", fields->action);
	krn_json_int(&out, is_retry ? "requeued" : "deleted", count);
	krn_json_close(&out);
	krn_json_end(&out);
	response->rows = count;
	return KRN_OK;
}
