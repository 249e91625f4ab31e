#ifndef KRN_REPEAT_H
#define KRN_REPEAT_H

/*
 * What stands between identity and handler when a call may come again: its
 * route's rate limit, its Idempotency-Key.
 */

#include "access/idempotency.h"
#include "fcgi/auth.h"

/*
 * Take a call of the route's limit, if it has one: a transaction of its own,
 * with the statement that authenticates. The answer gets its headers.
 * Errors: KRN_ERR_UNAUTHORIZED, KRN_ERR_FORBIDDEN
 *         KRN_ERR_RATE_LIMIT  too many calls in the window
 */
KRN_MUSTCHECK enum krn_err krn_repeat_limit(struct krn_request *request,
					    struct krn_response *response,
					    struct krn_identity *identity,
					    struct krn_error *err);

/*
 * Is the answer of this call, in a transaction of this mode, to be kept?
 * Fills *ret.
 * Errors: KRN_ERR_INVALID  the key is not 1 to 255 visible ASCII characters
 */
KRN_MUSTCHECK enum krn_err krn_repeat_read(const struct krn_request *request,
					   enum krn_tx tx, bool *ret_is_kept,
					   struct krn_idempotency *ret,
					   struct krn_error *err);

/*
 * After the claim: the answer of the first call, if there was one.
 * Errors: as krn_idempotency_find
 */
KRN_MUSTCHECK enum krn_err krn_repeat_answer(const struct krn_request *request,
					     const struct krn_rows *rows,
					     struct krn_response *response,
					     bool *ret_answered,
					     struct krn_error *err);

/*
 * Queue the statement that keeps the answer, if it is a success.
 * Errors: as krn_buf_end
 */
KRN_MUSTCHECK enum krn_err krn_repeat_keep(struct krn_request *request,
					   const struct krn_idempotency *call,
					   const struct krn_response *response,
					   struct krn_error *err);

#endif
