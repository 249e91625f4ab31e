#ifndef KRN_DELIVER_PRIVATE_H
#define KRN_DELIVER_PRIVATE_H

/* A delivery as a request of each kind of provider. Of deliver.c and
 * deliver_request.c only. */

#include "base/value.h"
#include "egress/http.h"
#include "watch/deliver.h"

#define DELIVER_HEADERS_MAX 32

struct deliver_call {
	struct krn_arena *arena; /* of this call */
	const struct krn_options *options;
	struct krn_db *db;
	const struct krn_guard *guard;
	struct krn_outbox_row row;
	struct krn_value config, message;
	struct krn_http_request request;
	struct krn_http_mail mail;
	const char *headers[DELIVER_HEADERS_MAX];
	size_t headers_nr;
};

/*
 * Fill call->request from row, config and message.
 * Errors: KRN_ERR_INVALID  it can never be sent
 */
KRN_MUSTCHECK enum krn_err deliver_prepare(struct deliver_call *call,
					   struct krn_error *err);

#endif
