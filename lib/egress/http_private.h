#ifndef KRN_HTTP_PRIVATE_H
#define KRN_HTTP_PRIVATE_H

/* A call under way, and the transfer that it becomes. Of http.c and
 * http_transfer.c only. */

#include <curl/curl.h>

#include "egress/http.h"

enum http_state { HTTP_FREE, HTTP_LOOKUP, HTTP_RUNNING, HTTP_DONE };

struct http_place {
	enum http_state state;
	struct krn_arena *arena; /* of the call */
	const struct krn_http_request *request;
	void *tag;
	CURL *easy;
	struct curl_slist *headers, *recipients, *resolve;
	struct krn_lookup
	    *lookup; /* NULL in HTTP_LOOKUP: it has yet to begin */
	int64_t begun_us, deadline_us;
	struct krn_str host, port;
	struct krn_buf body;
	size_t sent; /* of a mail's message */
	bool too_big, refused, untried;
	bool unset; /* an option could not be set */
	enum krn_err code;
	long status;
	struct krn_str wanted;
	struct krn_error err;
};

/*
 * Give a call its transfer, not begun; it ends by http_transfer_end.
 * Errors: KRN_ERR_UNAVAILABLE  out of memory
 *         KRN_ERR_INTERNAL     libcurl lacks what it needs
 */
KRN_MUSTCHECK enum krn_err http_transfer_make(struct http_place *place);

/* Only these addresses are connected to; false without memory. */
KRN_MUSTCHECK bool http_transfer_pin(struct http_place *place,
				     const struct krn_address *addresses,
				     size_t nr);

/* A transfer has ended: what is to be told of it. */
void http_transfer_note(struct http_place *place, CURLcode code);

/* Give back what is curl's, transfer or not. */
void http_transfer_end(struct http_place *place);

#endif
