#ifndef KRN_ROUTE_APIKEY_H
#define KRN_ROUTE_APIKEY_H

/* /api/v1/api-keys. Source: spec/facts.md 1.2. */

#include "fcgi/route.h"

struct krn_apikey_body_fields {
	struct krn_fields head;
	struct krn_str name, expires_at, role;
	const struct krn_value *scopes;
};

struct krn_apikey_delete_fields {
	struct krn_fields head;
	struct krn_str id, reason;
};

/*
 * Errors of all: KRN_ERR_NOTFOUND  no such key, or revoked already
 *                KRN_ERR_INVALID   a bad name, time, role or scope
 */
enum krn_err krn_route_apikey_list(struct krn_request *request,
				   struct krn_response *response,
				   struct krn_error *err);
enum krn_err krn_route_apikey_create(struct krn_request *request,
				     struct krn_response *response,
				     struct krn_error *err);
enum krn_err krn_route_apikey_delete(struct krn_request *request,
				     struct krn_response *response,
				     struct krn_error *err);

#endif
