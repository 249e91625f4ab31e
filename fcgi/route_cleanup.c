/*
 * The cleanup that a tenant's admin calls for.
 */

#include "base/base.h"

#include "fcgi/route_cleanup.h"

#include "base/json_out.h"
#include "lifecycle/cleanup.h"

enum krn_err
krn_route_cleanup(struct krn_request *request, struct krn_response *response,
		  struct krn_error *err)
{
	struct krn_cleaned cleaned;
	struct krn_json_out out;
	enum krn_err e;

	if ((e = krn_request_identify(request, err)) ||
	    (e = krn_cleanup_tenant(request->arena, request->db,
				    &request->caller, &cleaned, err)))
		return e;
	krn_json_init(&out, &response->body);
	krn_json_obj_open(&out, NULL);
	krn_json_obj_open(&out, "cleaned");
	krn_json_int(&out, "expiredVariantAssignments",
		     cleaned.variant_assignments);
	krn_json_int(&out, "oldAuditLogs", cleaned.audit_logs);
	krn_json_close(&out);
	krn_json_close(&out);
	krn_json_end(&out);
	response->rows = cleaned.variant_assignments + cleaned.audit_logs;
	return KRN_OK;
}
