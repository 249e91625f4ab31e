#ifndef KRN_SEND_H
#define KRN_SEND_H

/*
 * A message of a client to providers. It is queued in the outbox, which the
 * worker delivers: the pool that serves clients has no network.
 */

#include "watch/object.h"

enum krn_send_field { /* indices of the form */
		      KRN_SEND_PROVIDER_IDS,
		      KRN_SEND_TITLE,
		      KRN_SEND_TEXT,
		      KRN_SEND_SEVERITY,
		      KRN_SEND__MAX,
};

extern const struct krn_form_field krn_send_fields[KRN_SEND__MAX];

/*
 * Queue the message and write the answer: its id and its deliveries.
 * Errors: KRN_ERR_INVALID  with all problems
 */
KRN_MUSTCHECK enum krn_err krn_send(struct krn_object *object,
				    const struct krn_form_values *values,
				    struct krn_buf *answer,
				    struct krn_error *err);

#endif
