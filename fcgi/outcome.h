#ifndef KRN_OUTCOME_H
#define KRN_OUTCOME_H

/*
 * What became of a request: the response of a failure, one line of log, the
 * metrics.
 */

#include "fcgi/route.h"

struct krn_outcome {
	enum krn_pool pool;
	int64_t start_us;    /* when the request came; monotonic */
	int64_t database_us; /* krn_db_total_us of then */
};

/* Make the response that of a failure: contract section 1, errors. */
void krn_outcome_error(const struct krn_request *request,
		       struct krn_response *response,
		       const struct krn_error *err);

/* `is_error`: log it as ours, whatever its status. */
void krn_outcome_log(const struct krn_outcome *outcome,
		     const struct krn_request *request,
		     const struct krn_response *response,
		     const struct krn_error *err, bool is_error);

void krn_outcome_measure(const struct krn_outcome *outcome,
			 const struct krn_request *request,
			 const struct krn_response *response);

#endif
