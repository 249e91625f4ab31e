#ifndef KRN_HTTP_H
#define KRN_HTTP_H

/*
 * HTTP to elsewhere. Only http and https, no redirects, certificates are
 * checked, the answer has a limit of bytes and of time.
 *
 * This is the only module that includes curl.
 */

#include "base/buf.h"
#include "base/error.h"

struct krn_http_request {
	const char *method; /* "GET", "POST" */
	struct krn_str url;
	const char *const *headers; /* "Name: value", NULL-terminated */
	struct krn_str body;        /* of a POST */
	struct krn_str ca_file;     /* "": the system's */
	int64_t timeout_ms;         /* of the whole exchange */
	size_t answer_max;          /* bytes */
};

struct krn_http_answer {
	long status;
	struct krn_str body; /* ends in NUL */
};

/*
 * Errors: KRN_ERR_INVALID      the address is none
 *         KRN_ERR_UNAVAILABLE  nobody answered, or not in time
 *         KRN_ERR_TOOBIG       the answer is too long
 */
KRN_MUSTCHECK enum krn_err krn_http_call(struct krn_arena *arena,
					 const struct krn_http_request *request,
					 struct krn_http_answer *ret,
					 struct krn_error *err);

#endif
