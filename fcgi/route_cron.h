#ifndef KRN_ROUTE_CRON_H
#define KRN_ROUTE_CRON_H

/* The jobs that the clock calls. Contract section 2. */

#include "fcgi/route.h"

struct krn_export_fields {
	struct krn_fields head;
	bool drain;
};

/* /api/v1/admin/cron-runs: the ledger. Contract section 3. */
struct krn_cron_run_fields {
	struct krn_fields head;
	struct krn_str job; /* .s NULL: all */
	int64_t limit;
};

enum krn_err krn_route_cron_runs(struct krn_request *request,
				 struct krn_response *response,
				 struct krn_error *err);

/* Errors of the jobs: KRN_ERR_UNAVAILABLE  the database is away */
enum krn_err krn_route_cron_cleanup(struct krn_request *request,
				    struct krn_response *response,
				    struct krn_error *err);
enum krn_err krn_route_cron_approvals(struct krn_request *request,
				      struct krn_response *response,
				      struct krn_error *err);
enum krn_err krn_route_cron_export(struct krn_request *request,
				   struct krn_response *response,
				   struct krn_error *err);
enum krn_err krn_route_cron_drift(struct krn_request *request,
				  struct krn_response *response,
				  struct krn_error *err);

enum krn_err krn_route_tick(struct krn_request *request,
			    struct krn_response *response,
			    struct krn_error *err);

#endif
