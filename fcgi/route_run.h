#ifndef KRN_ROUTE_RUN_H
#define KRN_ROUTE_RUN_H

/* /api/v1/runs: campaigns and their runs. Contract section 5. */

#include "fcgi/route.h"

struct krn_run_list_fields {
	struct krn_fields head;
	int64_t limit, offset;
};

struct krn_run_detail_fields {
	struct krn_fields head;
	int64_t results_limit;
	struct krn_str results_cursor;
};

struct krn_run_delete_fields {
	struct krn_fields head;
	bool force;
};

struct krn_run_inline_fields {
	struct krn_fields head;
	struct krn_str run_id, decision_flow_id, segment_view_name;
};

/* The body of a campaign; each member is as JSON has it, or NULL. */
struct krn_run_campaign_fields {
	struct krn_fields head;
	const struct krn_value *decision_flow_id, *segment_id, *name,
	    *description, *status, *schedule_type, *schedule_day_of_week,
	    *schedule_day_of_month, *schedule_time, *schedule_timezone,
	    *schedule_cron, *volume_constraints, *frequency_caps, *file_config,
	    *channel_ids;
};

/*
 * Errors of all: KRN_ERR_NOTFOUND   no such campaign or run of this tenant
 *                KRN_ERR_INVALID    with all problems of the body
 *                KRN_ERR_CONFLICT   the state does not allow it
 */
enum krn_err krn_route_run_list(struct krn_request *request,
				struct krn_response *response,
				struct krn_error *err);
enum krn_err krn_route_run_create(struct krn_request *request,
				  struct krn_response *response,
				  struct krn_error *err);
enum krn_err krn_route_run_get(struct krn_request *request,
			       struct krn_response *response,
			       struct krn_error *err);
enum krn_err krn_route_run_trigger(struct krn_request *request,
				   struct krn_response *response,
				   struct krn_error *err);
enum krn_err krn_route_run_runs(struct krn_request *request,
				struct krn_response *response,
				struct krn_error *err);
enum krn_err krn_route_run_progress(struct krn_request *request,
				    struct krn_response *response,
				    struct krn_error *err);
enum krn_err krn_route_run_update(struct krn_request *request,
				  struct krn_response *response,
				  struct krn_error *err);
enum krn_err krn_route_run_delete(struct krn_request *request,
				  struct krn_response *response,
				  struct krn_error *err);
enum krn_err krn_route_run_pause(struct krn_request *request,
				 struct krn_response *response,
				 struct krn_error *err);
enum krn_err krn_route_run_resume(struct krn_request *request,
				  struct krn_response *response,
				  struct krn_error *err);
enum krn_err krn_route_run_cancel(struct krn_request *request,
				  struct krn_response *response,
				  struct krn_error *err);
enum krn_err krn_route_run_inline(struct krn_request *request,
				  struct krn_response *response,
				  struct krn_error *err);
enum krn_err krn_route_run_file(struct krn_request *request,
				struct krn_response *response,
				struct krn_error *err);

#endif
