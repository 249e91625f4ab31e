#ifndef KRN_ROUTE_REPORT_H
#define KRN_ROUTE_REPORT_H

/*
 * Reports: watch/report.h.
 */

#include "fcgi/object.h"

struct krn_report_run_list_fields {
	struct krn_fields head;
	int64_t limit, offset;
	struct krn_str template_id;
};

struct krn_report_preview_fields {
	struct krn_fields head;
	struct krn_str format; /* .s NULL: json */
};

enum krn_err krn_route_report_template_list(struct krn_request *request,
					    struct krn_response *response,
					    struct krn_error *err);
enum krn_err krn_route_report_template_get(struct krn_request *request,
					   struct krn_response *response,
					   struct krn_error *err);
enum krn_err krn_route_report_template_create(struct krn_request *request,
					      struct krn_response *response,
					      struct krn_error *err);
enum krn_err krn_route_report_template_update(struct krn_request *request,
					      struct krn_response *response,
					      struct krn_error *err);
enum krn_err krn_route_report_template_delete(struct krn_request *request,
					      struct krn_response *response,
					      struct krn_error *err);
enum krn_err krn_route_report_schedule_list(struct krn_request *request,
					    struct krn_response *response,
					    struct krn_error *err);
enum krn_err krn_route_report_schedule_get(struct krn_request *request,
					   struct krn_response *response,
					   struct krn_error *err);
enum krn_err krn_route_report_schedule_create(struct krn_request *request,
					      struct krn_response *response,
					      struct krn_error *err);
enum krn_err krn_route_report_schedule_update(struct krn_request *request,
					      struct krn_response *response,
					      struct krn_error *err);
enum krn_err krn_route_report_schedule_delete(struct krn_request *request,
					      struct krn_response *response,
					      struct krn_error *err);
enum krn_err krn_route_report_preview(struct krn_request *request,
				      struct krn_response *response,
				      struct krn_error *err);
enum krn_err krn_route_report_run_now(struct krn_request *request,
				      struct krn_response *response,
				      struct krn_error *err);
enum krn_err krn_route_report_run_list(struct krn_request *request,
				       struct krn_response *response,
				       struct krn_error *err);
enum krn_err krn_route_report_run_get(struct krn_request *request,
				      struct krn_response *response,
				      struct krn_error *err);
enum krn_err krn_route_report_artifact(struct krn_request *request,
				       struct krn_response *response,
				       struct krn_error *err);
enum krn_err krn_route_report_link(struct krn_request *request,
				   struct krn_response *response,
				   struct krn_error *err);

#endif
