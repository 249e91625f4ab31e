#ifndef KRN_ROUTE_AUDIT_H
#define KRN_ROUTE_AUDIT_H

/*
 * /api/v1/audit-logs and /api/v1/audit-export. The log cannot be changed: no
 * route has PUT, PATCH or DELETE. Source: spec/facts.md 2.16.
 */

#include "fcgi/route.h"

struct krn_audit_list_fields {
	struct krn_fields head;
	int64_t page, limit;
	struct krn_str action, entity_type, entity_id, user_id, start_date,
	    end_date;
};

struct krn_audit_verify_fields {
	struct krn_fields head;
	int64_t limit;
};

struct krn_audit_export_fields {
	struct krn_fields head;
	int64_t limit, offset;
	struct krn_str format, action, entity_type, start_date, end_date;
};

struct krn_audit_check_fields {
	struct krn_fields head;
	struct krn_str action, start_date, end_date;
};

/* Errors of all: KRN_ERR_INVALID  a time that is none */
enum krn_err krn_route_audit_list(struct krn_request *request,
				  struct krn_response *response,
				  struct krn_error *err);
enum krn_err krn_route_audit_verify(struct krn_request *request,
				    struct krn_response *response,
				    struct krn_error *err);
enum krn_err krn_route_audit_export(struct krn_request *request,
				    struct krn_response *response,
				    struct krn_error *err);
enum krn_err krn_route_audit_check(struct krn_request *request,
				   struct krn_response *response,
				   struct krn_error *err);

#endif
