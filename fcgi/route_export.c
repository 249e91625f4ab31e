/*
 * The export's cron route.
 */

#include "base/base.h"

#include "fcgi/route_export.h"

#include "lifecycle/export.h"

enum krn_err
krn_route_export(struct krn_request *request, struct krn_response *response,
		 struct krn_error *err)
{
	const struct krn_export_fields *fields = request->fields;

	return krn_export_interactions(request->arena, request->db,
				       request->options, fields->drain,
				       &response->body, err);
}
