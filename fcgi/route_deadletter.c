/*
 * Dead letters for operators.
 */

#include "base/base.h"

#include "fcgi/route_deadletter.h"

#include "base/json_out.h"
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
	const struct krn_rows *rows;
	enum krn_err e;

	krn_db_send(request->db, KRN_STMT_deadletter_list, params, &rows);
	if ((e = krn_db_commit(request->db, err)))
		return e;
	krn_buf_add_str(&response->body, krn_rows_str(rows, 0, 0));
	response->rows = krn_rows_int(rows, 0, 1);
	return KRN_OK;
}

/* null is as absent; an empty list matches nothing. */
static enum krn_err
deadletter_ids(struct krn_arena *arena, const struct krn_value *value,
	       struct krn_deadletter_filter *filter, struct krn_error *err)
{
	struct krn_str *ids;

	if (!value || value->type == KRN_VALUE_NULL)
		return KRN_OK;
	if (value->type != KRN_VALUE_ARRAY)
		return krn_refuse(err, KRN_ERR_INVALID,
				  "eventIds must be an array of strings");
	ids = krn_arena_calloc(arena, value->array.nr + 1, sizeof(*ids));
	if (!ids)
		return krn_arena_fail(arena, err);
	for (size_t i = 0; i < value->array.nr; i++) {
		if (value->array.items[i].type != KRN_VALUE_STRING)
			return krn_refuse(
			    err, KRN_ERR_INVALID,
			    "eventIds must be an array of strings");
		ids[i] = value->array.items[i].string;
	}
	filter->ids = ids;
	filter->ids_nr = value->array.nr;
	return KRN_OK;
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

	if ((e = krn_request_identify(request, err)) ||
	    (e = deadletter_ids(request->arena, fields->event_ids, &filter,
				err)))
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
