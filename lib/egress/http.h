#ifndef KRN_HTTP_H
#define KRN_HTTP_H

/*
 * Calls to elsewhere: HTTP, and mail by SMTP. No redirects, no proxies of the
 * environment, TLS 1.2 at least, certificates are checked, the answer has a
 * limit of bytes and of time. Every connection goes through a guard (guard.h):
 * a request without one is refused.
 *
 * One call that is waited for is krn_http_call; many at once go through a
 * pump, where one that hangs keeps none of the others waiting.
 *
 * This is the only module that includes curl: http.c has the pump,
 * http_transfer.c the options of a transfer.
 */

#include "base/buf.h"
#include "base/error.h"
#include "egress/guard.h"

/* Of smtp:// and smtps://; the request's body is the message (RFC 5322). */
struct krn_http_mail {
	struct krn_str from; /* addresses without names */
	const struct krn_str *recipients;
	size_t recipients_nr;
	struct krn_str user, password; /* "": none */
};

/* Who signs a request to S3, with AWS signature version 4. */
struct krn_http_signer {
	struct krn_str region, key_id, secret;
};

/*
 * A signed request needs its query in canonical form (names in byte order,
 * each with "=", values percent-encoded) and the header x-amz-content-sha256:
 * libcurl 7.88 signs what it is given and adds neither.
 */
struct krn_http_request {
	const char *method; /* "GET", "POST", "PUT", "DELETE" */
	struct krn_str url;
	const char *const *headers; /* "Name: value", NULL-terminated */
	struct krn_str body;        /* of all but GET */
	struct krn_str ca_file;     /* "": the system's */
	int64_t timeout_ms;         /* of the whole exchange */
	size_t answer_max;          /* bytes */
	const struct krn_guard *guard;
	const struct krn_http_mail *mail;     /* NULL: HTTP */
	const struct krn_http_signer *signer; /* NULL: not signed */
	const char *wanted; /* a header of the answer, or NULL */
	/* krn_http_call: called about every second while it waits, or NULL;
	 * false: nobody wants the answer any more */
	bool (*tick)(void *data);
	void *tick_data;
};

struct krn_http_answer {
	long status;           /* of HTTP; of SMTP its last */
	struct krn_str body;   /* ends in NUL */
	struct krn_str wanted; /* the header's value; .s NULL: not there */
};

/*
 * Errors: KRN_ERR_INVALID      the address is none
 *         KRN_ERR_CONFLICT     the tick gave false: the call was broken off
 *         KRN_ERR_FORBIDDEN    the guard does not permit it
 *         KRN_ERR_UNAVAILABLE  nobody answered, or not in time
 *         KRN_ERR_TOOBIG       the answer is too long
 */
KRN_MUSTCHECK enum krn_err krn_http_call(struct krn_arena *arena,
					 const struct krn_http_request *request,
					 struct krn_http_answer *ret,
					 struct krn_error *err);

/* Many at once */

/* Calls that are under way at the same time. */
struct krn_http_pump;

/* One that has ended. */
struct krn_http_done {
	void *tag; /* what it was added with */
	enum krn_err code;
	/* failed, and nobody was asked: the process's lookups were all taken */
	bool untried;
	struct krn_http_answer answer; /* in the request's arena */
	struct krn_error err;
};

/*
 * Ownership: *ret lives in `arena`; calls under way end with it.
 * Errors:    KRN_ERR_UNAVAILABLE  out of memory
 */
KRN_MUSTCHECK enum krn_err krn_http_pump_make(struct krn_arena *arena,
					      size_t places,
					      struct krn_http_pump **ret,
					      struct krn_error *err);

/* How many more may be added. */
size_t krn_http_pump_room(const struct krn_http_pump *pump);

/* Are calls under way, or ended and not taken? */
bool krn_http_pump_is_busy(const struct krn_http_pump *pump);

/*
 * Begin a call; there must be room. What is wrong with it is told when it is
 * taken. The request and what it points to stay until then, in `arena`.
 */
void krn_http_pump_add(struct krn_http_pump *pump, struct krn_arena *arena,
		       const struct krn_http_request *request, void *tag);

/* Go on until one has ended or some time has passed. */
void krn_http_pump_wait(struct krn_http_pump *pump, int timeout_ms);

/* Take one that has ended; false: none. */
bool krn_http_pump_take(struct krn_http_pump *pump, struct krn_http_done *ret);

#endif
