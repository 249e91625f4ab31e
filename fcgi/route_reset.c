/*
 * Emptying a playground, erasing a customer.
 */

#include "base/base.h"

#include "fcgi/route_reset.h"

#include "base/clock.h"
#include "base/json_out.h"
#include "lifecycle/reset.h"

enum krn_err
krn_route_tenant_reset(struct krn_request *request,
		       struct krn_response *response, struct krn_error *err)
{
	const struct krn_reset_fields *fields = request->fields;
	/* nginx waits for three times as long, and a part is a statement */
	const int64_t end_us = krn_clock_monotonic_us() +
			       request->options->statement_timeout_ms * 1000;
	struct krn_json_out out;
	bool more = true;
	enum krn_err e;

	if ((e = krn_request_identify(request, err)))
		return e;
	if (!fields->confirm)
		return krn_refuse(err, KRN_ERR_INVALID, "confirm must be true");
	if ((e = krn_reset_begin(request->arena, request->db, &request->caller,
				 err)))
		return e;
	while (more) {
		if ((e = krn_request_go_on(request, err)))
			return e;
		if (krn_clock_monotonic_us() > end_us)
			return krn_refuse(err, KRN_ERR_UNAVAILABLE,
					  "a part is left: call again");
		if ((e = krn_reset_some(request->arena, request->db, &more,
					err)))
			return e;
	}
	if ((e = krn_reset_end(request->arena, request->db, &request->caller,
			       err)))
		return e;
	krn_json_init(&out, &response->body);
	krn_json_obj_open(&out, NULL);
	krn_json_c(
	    &out, "message",
	    "Workspace reset successfully. Decision counter is back to 0.");
	krn_json_close(&out);
	krn_json_end(&out);
	return KRN_OK;
}

enum krn_err
krn_route_gdpr_erasure(struct krn_request *request,
		       struct krn_response *response, struct krn_error *err)
{
	const struct krn_erasure_fields *fields = request->fields;
	struct krn_json_out out;
	struct krn_str erased;
	enum krn_err e;

	if ((e = krn_request_identify(request, err)) ||
	    (e = krn_customer_erase(request->arena, request->db,
				    &request->caller, fields->customer_id,
				    &erased, err)))
		return e;
	krn_json_init(&out, &response->body);
	krn_json_obj_open(&out, NULL);
	krn_json_str(&out, "customerId", fields->customer_id);
	krn_json_raw(&out, "erased", erased);
	krn_json_time(&out, "timestamp", krn_clock_us());
	krn_json_close(&out);
	krn_json_end(&out);
	return KRN_OK;
}
