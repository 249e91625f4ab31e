/*
 * Metrics for operators.
 */

#include "base/base.h"

#include "fcgi/route_metric.h"

#include "watch/metric.h"

enum krn_err
krn_route_metrics(struct krn_request *request, struct krn_response *response,
		  struct krn_error *err)
{
	response->content_type = "text/plain; version=0.0.4; charset=utf-8";
	return krn_metrics_write(request->db, &response->body, err);
}

enum krn_err
krn_route_metrics_count(struct krn_request *request, struct krn_error *err)
{
	return krn_metrics_count(request->arena, request->db, err);
}

enum krn_err
krn_route_metrics_summary(struct krn_request *request,
			  struct krn_response *response, struct krn_error *err)
{
	return krn_metrics_write_json(request->db, &response->body, err);
}
