/*
 * Objects as routes have them.
 */

#include "base/base.h"

#include "fcgi/object.h"

enum krn_err
krn_object_answer(struct krn_request *request, struct krn_response *response,
		  enum krn_stmt stmt, const struct krn_param *params,
		  const char *noun, struct krn_error *err)
{
	const struct krn_rows *rows;
	enum krn_err e;

	krn_db_send(request->db, stmt, params, &rows);
	if ((e = krn_db_commit(request->db, err)))
		return e;
	if (krn_rows_nr(rows) == 0)
		return krn_refuse(err, KRN_ERR_NOTFOUND, "no such %s", noun);
	krn_buf_add_str(&response->body, krn_rows_str(rows, 0, 0));
	response->rows = 1;
	return KRN_OK;
}

enum krn_err
krn_object_begin(struct krn_request *request,
		 const struct krn_object_kind *kind, struct krn_object *ret,
		 struct krn_error *err)
{
	*ret = (struct krn_object){
	    .arena = request->arena,
	    .db = request->db,
	    .options = request->options,
	    .caller = &request->caller,
	    .kind = kind,
	    .id = request->path_params[0],
	};
	return krn_request_identify(request, err);
}

static void
object_document(struct krn_response *response, int status,
		struct krn_str document)
{
	krn_buf_add_str(&response->body, document);
	response->status = status;
	response->rows = 1;
}

enum krn_err
krn_object_made(struct krn_request *request, struct krn_response *response,
		const struct krn_object_kind *kind, struct krn_error *err)
{
	const struct krn_object_fields *fields = request->fields;
	struct krn_object object;
	struct krn_str document;
	enum krn_err e;

	if ((e = krn_object_begin(request, kind, &object, err)) ||
	    (e = krn_object_create(&object, &fields->form, &document, err)))
		return e;
	object_document(response, 201, document);
	return KRN_OK;
}

enum krn_err
krn_object_changed(struct krn_request *request, struct krn_response *response,
		   const struct krn_object_kind *kind, struct krn_error *err)
{
	const struct krn_object_fields *fields = request->fields;
	struct krn_object object;
	struct krn_str document;
	enum krn_err e;

	if ((e = krn_object_begin(request, kind, &object, err)) ||
	    (e = krn_object_change(&object, &fields->form, &document, err)))
		return e;
	object_document(response, 200, document);
	return KRN_OK;
}

enum krn_err
krn_object_gone(struct krn_request *request, struct krn_response *response,
		const struct krn_object_kind *kind, struct krn_error *err)
{
	struct krn_object object;
	enum krn_err e;

	response->status = 204;
	if ((e = krn_object_begin(request, kind, &object, err)))
		return e;
	return krn_object_delete(&object, err);
}
