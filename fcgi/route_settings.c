/*
 * Settings of a tenant.
 */

#include "base/base.h"

#include "fcgi/route_settings.h"

#include "access/tenant.h"

enum krn_err
krn_route_settings_get(struct krn_request *request,
		       struct krn_response *response, struct krn_error *err)
{
	struct krn_str settings;
	enum krn_err e;

	if ((e = krn_tenant_settings(request->db, &settings, err)))
		return e;
	krn_buf_add_str(&response->body, settings);
	return KRN_OK;
}

enum krn_err
krn_route_settings_put(struct krn_request *request,
		       struct krn_response *response, struct krn_error *err)
{
	const struct krn_settings_fields *fields = request->fields;
	struct krn_str settings;
	enum krn_err e;

	if ((e = krn_request_identify(request, err)) ||
	    (e = krn_tenant_settings_merge(request->arena, request->db,
					   &request->caller, fields->change,
					   &settings, err)))
		return e;
	krn_buf_add_str(&response->body, settings);
	return KRN_OK;
}
