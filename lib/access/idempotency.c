/*
 * Answers that are given again.
 */

#include "base/base.h"

#include "access/idempotency.h"

/* Source: contract section 1, Idempotency-Key. */
#define IDEMPOTENCY_KEY_MAX 255

bool
krn_idempotency_key_is(struct krn_str key)
{
	if (key.len < 1 || key.len > IDEMPOTENCY_KEY_MAX)
		return false;
	for (size_t i = 0; i < key.len; i++)
		if (key.s[i] < '!' || key.s[i] > '~')
			return false;
	return true;
}

void
krn_idempotency_hash(struct krn_str query, struct krn_str body,
		     unsigned char ret_hash[KRN_SHA256_BYTES])
{
	unsigned char both[2 * KRN_SHA256_BYTES];

	krn_sha256(query.s, query.len, both);
	krn_sha256(body.s, body.len, both + KRN_SHA256_BYTES);
	krn_sha256(both, sizeof(both), ret_hash);
}

enum krn_err
krn_idempotency_claim(struct krn_arena *arena, struct krn_db *db,
		      const struct krn_idempotency *call,
		      const struct krn_rows **ret_rows, struct krn_error *err)
{
	const struct krn_param params[] = {
	    krn_param_c(call->method),
	    krn_param_str(call->path),
	    krn_param_str(call->key),
	    krn_param_bytes(arena, call->hash, sizeof(call->hash)),
	};

	return krn_db_exec(db, KRN_STMT_idempotency_claim, params, ret_rows,
			   err);
}

enum krn_err
krn_idempotency_find(const struct krn_rows *rows, enum krn_role role,
		     bool *ret_found, struct krn_answer *ret,
		     struct krn_error *err)
{
	enum krn_role needed;

	*ret_found = !krn_rows_bool(rows, 0, 0);
	if (!*ret_found)
		return KRN_OK;
	if (!krn_rows_bool(rows, 0, 1))
		return krn_fail(err, KRN_ERR_IDEMPOTENCY,
				"the key was used with another query or body");
	KRN_BUG_IF(!krn_role_parse(krn_rows_str(rows, 0, 2), &needed));
	if (role < needed)
		return krn_refuse(err, KRN_ERR_FORBIDDEN,
				  "this was answered to the role %s",
				  krn_role_name(needed));
	*ret = (struct krn_answer){
	    .status = krn_rows_int(rows, 0, 3),
	    .content_type = krn_rows_str(rows, 0, 4).s,
	    .body = krn_rows_str(rows, 0, 5),
	};
	return KRN_OK;
}

void
krn_idempotency_store(struct krn_arena *arena, struct krn_db *db,
		      const struct krn_idempotency *call, enum krn_role role,
		      const struct krn_answer *answer)
{
	const struct krn_param params[] = {
	    krn_param_c(call->method),
	    krn_param_str(call->path),
	    krn_param_str(call->key),
	    krn_param_c(krn_role_name(role)),
	    krn_param_int(arena, answer->status),
	    krn_param_c(answer->content_type),
	    krn_param_str(answer->body),
	};

	krn_db_send(db, KRN_STMT_idempotency_store, params, NULL);
}
