#ifndef KRN_FCGI_OBJECT_H
#define KRN_FCGI_OBJECT_H

/*
 * What routes of watch/object.h have in common: bodies whose fields are those of
 * a form, in its order.
 */

#include "fcgi/request.h"
#include "fcgi/route.h"
#include "watch/object.h"

struct krn_object_fields {
	struct krn_fields head;
	struct krn_form_values form;
};

/* A change of the caller's; the caller is identified. Errors: as identify. */
KRN_MUSTCHECK enum krn_err krn_object_begin(struct krn_request *request,
					    const struct krn_object_kind *kind,
					    struct krn_object *ret,
					    struct krn_error *err);

/* 201 with the document. */
KRN_MUSTCHECK enum krn_err krn_object_made(struct krn_request *request,
					   struct krn_response *response,
					   const struct krn_object_kind *kind,
					   struct krn_error *err);

/* 200 with the document. */
KRN_MUSTCHECK enum krn_err
krn_object_changed(struct krn_request *request, struct krn_response *response,
		   const struct krn_object_kind *kind, struct krn_error *err);

/* 204. */
KRN_MUSTCHECK enum krn_err krn_object_gone(struct krn_request *request,
					   struct krn_response *response,
					   const struct krn_object_kind *kind,
					   struct krn_error *err);

#endif
