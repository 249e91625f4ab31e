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

/* krn_object_create or krn_object_change */
typedef enum krn_err (*object_write_fn)(struct krn_object *object,
					const struct krn_form_values *values,
					struct krn_str *ret_document,
					struct krn_error *err);

static enum krn_err
object_write(struct krn_request *request, struct krn_response *response,
	     const struct krn_object_kind *kind, object_write_fn write,
	     int status, struct krn_error *err)
{
	const struct krn_object_fields *fields = request->fields;
	struct krn_object object;
	struct krn_str document;
	enum krn_err e;

	if ((e = krn_object_begin(request, kind, &object, err)) ||
	    (e = write(&object, &fields->form, &document, err)))
		return e;
	krn_buf_add_str(&response->body, document);
	response->status = status;
	response->rows = 1;
	return KRN_OK;
}

enum krn_err
krn_object_made(struct krn_request *request, struct krn_response *response,
		const struct krn_object_kind *kind, struct krn_error *err)
{
	return object_write(request, response, kind, krn_object_create, 201,
			    err);
}

enum krn_err
krn_object_changed(struct krn_request *request, struct krn_response *response,
		   const struct krn_object_kind *kind, struct krn_error *err)
{
	return object_write(request, response, kind, krn_object_change, 200,
			    err);
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
