/*
 * 501 for what is documented and not built yet, after authentication.
 */

#include "base/base.h"

#include "fcgi/route_pending.h"

enum krn_err
krn_route_pending(struct krn_request *request,
		  struct krn_response *response KRN_UNUSED,
		  struct krn_error *err)
{
	const bool is_cron = request->route->auth == KRN_AUTH_CRON_SECRET ||
			     request->route->auth == KRN_AUTH_CRON_TOKEN;
	enum krn_err e;

	if (!is_cron && (e = krn_request_identify(request, err)))
		return e;
	return krn_refuse(err, KRN_ERR_NOT_IMPLEMENTED,
			  "%s is not implemented yet", request->route->name);
}
