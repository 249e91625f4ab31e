#ifndef KRN_AUTH_H
#define KRN_AUTH_H

/*
 * Who is calling: API keys, the tenant header, cron secrets. Works before the
 * transaction begins (what the headers say) and inside it (the statement that
 * authenticates, queued with the handler's first).
 */

#include "fcgi/route.h"

/* What the request's headers say; copied from io by the dispatcher. */
struct krn_credentials {
	struct krn_str authorization; /* .s NULL: absent */
	struct krn_str api_key;
	struct krn_str tenant_id;
	struct krn_str cron_secret;
	struct krn_str cron_token;
	struct krn_str remote_address;
};

/* What they amount to. */
struct krn_identity {
	struct krn_str key;    /* an API key, .s NULL: none */
	struct krn_str tenant; /* from the header, where that is allowed */
	const struct krn_rows *rows; /* set by the flush */
};

/*
 * Look at the headers: cron secrets are compared here, keys are taken.
 * Errors: KRN_ERR_UNAUTHORIZED
 */
KRN_MUSTCHECK enum krn_err
krn_auth_read(const struct krn_request *request,
	      const struct krn_credentials *credentials,
	      struct krn_identity *ret, struct krn_error *err);

/* Is the caller known by an API key (or by the tenant header)? */
bool krn_auth_is_key(const struct krn_route *route);

/* Queue the statement that authenticates and sets the tenant. */
void krn_auth_send(struct krn_request *request, struct krn_identity *identity);

/* After the flush: fill request->caller. */
void krn_auth_take(struct krn_request *request,
		   const struct krn_identity *identity);

/*
 * After the response: note that the key was used, at most once a minute. A
 * transaction of its own.
 * Errors: as krn_db_commit
 */
KRN_MUSTCHECK enum krn_err krn_auth_note_use(struct krn_request *request,
					     const struct krn_identity *identity,
					     struct krn_error *err);

#endif
