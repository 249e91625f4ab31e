/*
 * Objects as routes have them.
 */

#include "base/base.h"

#include "fcgi/object.h"

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
