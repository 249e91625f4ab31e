#ifndef KRN_DELIVER_PRIVATE_H
#define KRN_DELIVER_PRIVATE_H

/* A delivery as a request of each kind of provider. Of deliver.c and the
 * other deliver_*.c only. */

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

/* The same for one kind. Errors: as deliver_prepare */
KRN_MUSTCHECK enum krn_err deliver_slack(struct deliver_call *call,
					 struct krn_error *err);
KRN_MUSTCHECK enum krn_err deliver_teams(struct deliver_call *call,
					 struct krn_error *err);
KRN_MUSTCHECK enum krn_err deliver_email(struct deliver_call *call,
					 struct krn_error *err);

/* The body of a JSON request, with the headers that go with it. */
KRN_MUSTCHECK enum krn_err deliver_body(struct deliver_call *call,
					const struct krn_buf *buf,
					struct krn_error *err);

/* The list in a member; nr 0 when there is none. */
const struct krn_value *deliver_list(const struct krn_value *message,
				     const char *name, size_t *ret_nr);

#endif
