#ifndef KRN_IDEMPOTENCY_H
#define KRN_IDEMPOTENCY_H

/*
 * Calls that may be repeated: the answer of the first is kept for 24 hours
 * under the key that the client chose, and given again.
 *
 *	krn_idempotency_claim     the row, before the effect; a second call
 *	                          waits in it until the first has ended
 *	… the effect …
 *	krn_idempotency_store     the answer, before the commit
 *
 * Row, effect and answer commit together or not at all: a process that dies
 * in between leaves nothing, and the next call is the first.
 *
 * Source: contract section 1, Idempotency-Key.
 */

#include "access/caller.h"
#include "base/crypto.h"
#include "store/db.h"

/* What a call is known by, within its tenant. */
struct krn_idempotency {
	const char *method;
	struct krn_str path, key;
	unsigned char hash[KRN_SHA256_BYTES]; /* of query and body */
};

struct krn_answer {
	int64_t status; /* of HTTP */
	const char *content_type;
	struct krn_str body;
};

/* 1 to 255 visible ASCII characters? */
bool krn_idempotency_key_is(struct krn_str key);

void krn_idempotency_hash(struct krn_str query, struct krn_str body,
			  unsigned char ret_hash[KRN_SHA256_BYTES]);

/*
 * Claim the key in the transaction that will make the effect.
 * Errors: KRN_ERR_CONFLICT  sqlstate 40001: in a repeatable-read transaction
 *                           the first call ended after this one's snapshot;
 *                           begin anew
 *         as krn_db_flush
 */
KRN_MUSTCHECK enum krn_err
krn_idempotency_claim(struct krn_arena *arena, struct krn_db *db,
		      const struct krn_idempotency *call,
		      const struct krn_rows **ret_rows, struct krn_error *err);

/*
 * What the claim found: was the call made before, and the answer of then.
 *
 * Ownership: *ret lives as long as the rows.
 * Errors:    KRN_ERR_IDEMPOTENCY  made before with another query or body
 *            KRN_ERR_FORBIDDEN    made before by a higher role than `role`
 */
KRN_MUSTCHECK enum krn_err krn_idempotency_find(const struct krn_rows *rows,
						enum krn_role role,
						bool *ret_found,
						struct krn_answer *ret,
						struct krn_error *err);

/* Queue the statement that keeps the answer. */
void krn_idempotency_store(struct krn_arena *arena, struct krn_db *db,
			   const struct krn_idempotency *call,
			   enum krn_role role, const struct krn_answer *answer);

#endif
