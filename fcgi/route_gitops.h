#ifndef KRN_ROUTE_GITOPS_H
#define KRN_ROUTE_GITOPS_H

/* /api/v1/gitops. Contract section 4. */

#include "fcgi/route.h"

struct krn_gitops_revision_fields {
	struct krn_fields head;
	int64_t limit;
};

/*
 * Errors of all: KRN_ERR_INVALID          a bad bundle, with all problems
 *                KRN_ERR_FORBIDDEN        the plan needs a higher role
 *                KRN_ERR_PRUNE_BUDGET, KRN_ERR_STALE_PLAN, KRN_ERR_CONFLICT
 *                KRN_ERR_NOTFOUND         no such revision
 */
enum krn_err krn_route_gitops_export(struct krn_request *request,
				     struct krn_response *response,
				     struct krn_error *err);
enum krn_err krn_route_gitops_diff(struct krn_request *request,
				   struct krn_response *response,
				   struct krn_error *err);
enum krn_err krn_route_gitops_apply(struct krn_request *request,
				    struct krn_response *response,
				    struct krn_error *err);

enum krn_err krn_route_gitops_rollback(struct krn_request *request,
				       struct krn_response *response,
				       struct krn_error *err);
enum krn_err krn_route_gitops_revisions(struct krn_request *request,
					struct krn_response *response,
					struct krn_error *err);
enum krn_err krn_route_gitops_snapshot(struct krn_request *request,
				       struct krn_response *response,
				       struct krn_error *err);
enum krn_err krn_route_gitops_schema(struct krn_request *request,
				     struct krn_response *response,
				     struct krn_error *err);

/* A dry run reads one state; a real one locks, then reads what is committed. */
enum krn_tx krn_route_gitops_tx(const struct krn_request *request);

#endif
