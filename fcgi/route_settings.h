#ifndef KRN_ROUTE_SETTINGS_H
#define KRN_ROUTE_SETTINGS_H

/* /api/v1/tenant-settings. Contract section 3. */

#include "fcgi/route.h"

struct krn_settings_fields {
	struct krn_fields head;
	const struct krn_value *change; /* the body */
};

enum krn_err krn_route_settings_get(struct krn_request *request,
				    struct krn_response *response,
				    struct krn_error *err);

/*
 * Errors: KRN_ERR_INVALID   legalHold is not a boolean
 *         KRN_ERR_TOOBIG    the settings would become too large
 *         KRN_ERR_CONFLICT  the tenant is busy, try again
 */
enum krn_err krn_route_settings_put(struct krn_request *request,
				    struct krn_response *response,
				    struct krn_error *err);

#endif
