/*
 * How long data is kept.
 */

#include "base/base.h"

#include "fcgi/route_retention.h"

#include "lifecycle/retention.h"

enum krn_err
krn_route_retention_list(struct krn_request *request,
			 struct krn_response *response, struct krn_error *err)
{
	struct krn_str configs;
	enum krn_err e;

	if ((e = krn_retention_list(request->db, &configs, err)))
		return e;
	krn_buf_add_str(&response->body, configs);
	return KRN_OK;
}

enum krn_err
krn_route_retention_set(struct krn_request *request,
			struct krn_response *response, struct krn_error *err)
{
	const struct krn_retention_fields *fields = request->fields;
	const struct krn_retention retention = {
	    .data_class = fields->data_class,
	    .days = fields->retention_days,
	    .has_hold = fields->head.present >> 2 & 1,
	    .hold = fields->legal_hold,
	};
	struct krn_str config;
	enum krn_err e;

	if ((e = krn_request_identify(request, err)) ||
	    (e = krn_retention_set(request->arena, request->db,
				   &request->caller, &retention, &config, err)))
		return e;
	krn_buf_add_str(&response->body, config);
	return KRN_OK;
}
