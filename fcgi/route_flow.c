/*
 * Decision flows. The documents are built by the database.
 */

#include "base/base.h"

#include "fcgi/route_flow.h"

#include "base/json_out.h"
#include "fcgi/document.h"
#include "fcgi/fields.h"
#include "gitops/edit.h"
#include "gitops/flow.h"

/* The flow as it is. */
static enum krn_err
flow_answer(struct krn_request *request, struct krn_response *response,
	    struct krn_str id, struct krn_error *err)
{
	const struct krn_param params[] = {krn_param_str(id)};

	return krn_document_answer(request, response, KRN_STMT_flow_get, params,
				   "flow", err);
}

enum krn_err
krn_route_flow_list(struct krn_request *request, struct krn_response *response,
		    struct krn_error *err)
{
	const struct krn_flow_list_fields *fields = request->fields;
	const struct krn_param params[] = {
	    krn_param_int(request->arena, fields->limit),
	    krn_param_str(fields->cursor.s ? fields->cursor : KRN_STR("")),
	};

	const struct krn_rows *rows;
	enum krn_err e;

	if ((e = krn_db_exec(request->db, KRN_STMT_flow_list, params, &rows,
			     err)))
		return e;
	if (krn_rows_nr(rows) == 0)
		return krn_refuse(err, KRN_ERR_INVALID,
				  "the cursor is not one of this list");
	krn_buf_add_str(&response->body, krn_rows_str(rows, 0, 0));
	return KRN_OK;
}

enum krn_err
krn_route_flow_get(struct krn_request *request, struct krn_response *response,
		   struct krn_error *err)
{
	return flow_answer(request, response, request->path_params[0], err);
}

/* Make a change. */
static enum krn_err
flow_edit(struct krn_request *request, struct krn_str id,
	  const struct krn_value *fields, struct krn_edit_done *ret,
	  struct krn_error *err)
{
	const struct krn_edit edit = {
	    .kind = KRN_KIND_FLOW, .id = id, .fields = fields};
	enum krn_err e;

	if ((e = krn_request_identify(request, err)))
		return e;
	return krn_edit_make(request->arena, request->db, &request->caller,
			     &edit, ret, err);
}

enum krn_err
krn_route_flow_create(struct krn_request *request,
		      struct krn_response *response, struct krn_error *err)
{
	struct krn_value fields;
	struct krn_edit_done done;
	enum krn_err e;

	if ((e = krn_fields_object(request, &fields, err)) ||
	    (e = flow_edit(request, (struct krn_str){NULL, 0}, &fields, &done,
			   err)))
		return e;
	response->status = 201;
	return flow_answer(request, response, done.id, err);
}

enum krn_err
krn_route_flow_update(struct krn_request *request,
		      struct krn_response *response, struct krn_error *err)
{
	struct krn_value fields;
	struct krn_edit_done done;
	enum krn_err e;

	if ((e = krn_fields_object(request, &fields, err)) ||
	    (e = flow_edit(request, request->path_params[0], &fields, &done,
			   err)))
		return e;
	return flow_answer(request, response, done.id, err);
}

enum krn_err
krn_route_flow_delete(struct krn_request *request,
		      struct krn_response *response, struct krn_error *err)
{
	struct krn_edit_done done;

	response->status = 204;
	return flow_edit(request, request->path_params[0], NULL, &done, err);
}

enum krn_err
krn_route_flow_publish(struct krn_request *request,
		       struct krn_response *response, struct krn_error *err)
{
	const struct krn_flow_publish_fields *fields = request->fields;
	const struct krn_flow_publish publish = {
	    .id = fields->flow_id,
	    .notes = fields->notes.s ? fields->notes : KRN_STR(""),
	    .row_version = fields->row_version,
	};
	enum krn_err e;

	if ((e = krn_request_identify(request, err)) ||
	    (e = krn_flow_publish(request->arena, request->db, &request->caller,
				  &publish, err)))
		return e;
	return flow_answer(request, response, publish.id, err);
}

enum krn_err
krn_route_flow_ensure_base(struct krn_request *request,
			   struct krn_response *response, struct krn_error *err)
{
	struct krn_json_out out;
	struct krn_str id;
	bool created;
	enum krn_err e;

	if ((e = krn_request_identify(request, err)) ||
	    (e = krn_flow_ensure_base(request->arena, request->db,
				      &request->caller, &id, &created, err)))
		return e;
	krn_json_init(&out, &response->body);
	krn_json_obj_open(&out, NULL);
	krn_json_str(&out, "flowId", id);
	krn_json_bool(&out, "created", created);
	krn_json_close(&out);
	krn_json_end(&out);
	response->status = created ? 201 : 200;
	response->rows = 1;
	return KRN_OK;
}

enum krn_err
krn_route_flow_versions(struct krn_request *request,
			struct krn_response *response, struct krn_error *err)
{
	const struct krn_flow_version_fields *fields = request->fields;
	const struct krn_param params[] = {
	    krn_param_str(request->path_params[0]),
	    krn_param_int(request->arena, fields->limit),
	    krn_param_int(request->arena, fields->cursor),
	};

	return krn_document_answer(
	    request, response, KRN_STMT_flow_version_list, params, "flow", err);
}

enum krn_err
krn_route_flow_version(struct krn_request *request,
		       struct krn_response *response, struct krn_error *err)
{
	int64_t version = 0; /* what is no number is no version */

	if (krn_parse_int64(request->path_params[1], 1, INT64_MAX, &version,
			    NULL))
		version = 0;
	const struct krn_param params[] = {
	    krn_param_str(request->path_params[0]),
	    krn_param_int(request->arena, version),
	};

	return krn_document_answer(request, response, KRN_STMT_flow_version_get,
				   params, "version of the flow", err);
}
