#ifndef KRN_REQUEST_H
#define KRN_REQUEST_H

/*
 * A request and its response, as handlers see them. Everything in them lives
 * in request->arena; nothing of libfcgi is left.
 *
 * When a handler runs, the transaction that its route declares has begun and
 * the statement that authenticates is queued in it: it travels with the
 * handler's first flush or commit, which fails with KRN_ERR_UNAUTHORIZED or
 * KRN_ERR_FORBIDDEN, and nothing after it was executed. So a handler with one
 * statement is one round trip. A handler that must know the caller before it
 * works (a big body to parse, a role to compare) calls krn_request_identify
 * first.
 *
 * A handler does not commit unless it wants to save a round trip: the
 * dispatcher commits after it and writes the response only then. One that
 * writes and must commit (because something is to follow the commit) writes
 * its answer first and calls krn_request_commit.
 */

#include "access/caller.h"
#include "base/buf.h"
#include "base/option.h"
#include "base/value.h"
#include "store/db.h"

struct krn_route;

enum krn_method {
	KRN_GET = 1,
	KRN_HEAD = 2, /* always there where GET is, but on cron routes */
	KRN_POST = 4,
	KRN_PUT = 8,
	KRN_PATCH = 16,
	KRN_DELETE = 32,
	KRN_OPTIONS = 64, /* answered by the dispatcher */
};

struct krn_request {
	struct krn_arena *arena;
	struct krn_db *db;
	const struct krn_options *options;
	const struct krn_route *route;

	enum krn_method method;
	struct krn_str path;         /* SCRIPT_NAME */
	struct krn_str query;        /* QUERY_STRING, raw */
	struct krn_str content_type; /* "" when absent */
	struct krn_str body;         /* all of it, "" when none */
	struct krn_str if_match;     /* If-Match as sent, .s NULL when absent */
	struct krn_str idempotency_key; /* as sent, .s NULL when absent */

	/* Path parameters in the order of the pattern: "{id}" is [0]. */
	struct krn_str path_params[4];

	/*
	 * The struct that the route's fields fill; see route.h. NULL when the
	 * route declares none.
	 */
	const void *fields;

	/* Known after the first flush (krn_request_identify); request_id at once. */
	struct krn_caller caller;
};

struct krn_header {
	const char *name;
	struct krn_str value;
};

struct krn_response {
	int status;               /* 200 at first */
	const char *content_type; /* application/json at first */
	struct krn_buf body;
	struct krn_header headers[12];
	size_t headers_nr;
	int64_t rows; /* for the log: what the handler read or wrote */
};

/*
 * Make sure that the caller is known: flushes when it is not yet.
 * Errors: KRN_ERR_UNAUTHORIZED, KRN_ERR_FORBIDDEN, KRN_ERR_UNAVAILABLE
 */
KRN_MUSTCHECK enum krn_err krn_request_identify(struct krn_request *request,
						struct krn_error *err);

/*
 * Commit what was done so far and begin anew, for work that is more than one
 * transaction should hold. Only for routes whose answer is never kept.
 * Errors: as krn_db_commit, and those of authentication at the next flush
 */
KRN_MUSTCHECK enum krn_err krn_request_go_on(struct krn_request *request,
					     struct krn_error *err);

/*
 * Commit, with the answer kept when the call has an Idempotency-Key: so the
 * answer must be complete.
 * Errors: as krn_db_commit
 */
KRN_MUSTCHECK enum krn_err
krn_request_commit(struct krn_request *request,
		   const struct krn_response *response, struct krn_error *err);

/* Add a header. CR, LF and NUL in the value are a mistake of ours. */
void krn_response_header(struct krn_response *response, const char *name,
			 struct krn_str value);

#endif
