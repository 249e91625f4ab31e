/*
 * The emergency flush.
 */

#include "base/base.h"

#include "fcgi/route_cache.h"

#include "base/clock.h"
#include "base/json_out.h"
#include "catalog/epoch.h"

enum krn_err
krn_route_cache_flush(struct krn_request *request,
		      struct krn_response *response, struct krn_error *err)
{
	const struct krn_cache_fields *fields = request->fields;
	const struct krn_str scope =
	    fields->scope.s ? fields->scope : KRN_STR("all");
	struct krn_json_out out;
	enum krn_err e;

	if ((e = krn_request_identify(request, err)) ||
	    (e = krn_epoch_flush(request->arena, request->db, &request->caller,
				 scope, err)))
		return e;
	krn_json_init(&out, &response->body);
	krn_json_obj_open(&out, NULL);
	krn_json_bool(&out, "success", true);
	krn_json_str(&out, "flushed", scope);
	krn_json_str(&out, "tenantId", request->caller.tenant_id);
	krn_json_time(&out, "timestamp", krn_clock_us());
	krn_json_close(&out);
	krn_json_end(&out);
	return KRN_OK;
}
