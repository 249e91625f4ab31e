/*
 * Calls that come again.
 */

#include "base/base.h"

#include "fcgi/repeat.h"

static enum krn_err
repeat_header(struct krn_request *request, struct krn_response *response,
	      const char *name, struct krn_str value, struct krn_error *err)
{
	if (!value.s)
		return krn_arena_fail(request->arena, err);
	krn_response_header(response, name, value);
	return KRN_OK;
}

enum krn_err
krn_repeat_limit(struct krn_request *request, struct krn_response *response,
		 struct krn_identity *identity, struct krn_error *err)
{
	const struct krn_ratelimit *limit = request->route->limit;
	struct krn_arena *arena = request->arena;
	const struct krn_rows *rows;
	enum krn_err e;

	if (!limit)
		return KRN_OK;
	if ((e = repeat_header(request, response, "RateLimit-Policy",
			       krn_str_printf(arena, "\"%s\";q=%lld;w=%lld",
					      limit->name,
					      (long long)limit->quota,
					      (long long)limit->window_seconds),
			       err)) ||
	    (e = krn_db_begin(request->db, arena, KRN_TX_WRITE, err)))
		return e;
	krn_auth_send(request, identity);
	krn_ratelimit_send(arena, request->db, limit, &rows);
	if ((e = krn_db_commit(request->db, err)))
		return e;
	const struct krn_ratelimit_state state = krn_ratelimit_read(rows);

	if ((e = repeat_header(request, response, "RateLimit",
			       krn_str_printf(arena, "\"%s\";r=%lld;t=%lld",
					      limit->name,
					      (long long)state.remaining,
					      (long long)state.reset_seconds),
			       err)) ||
	    state.accepted)
		return e;
	if ((e = repeat_header(
		 request, response, "Retry-After",
		 krn_str_printf(arena, "%lld", (long long)state.reset_seconds),
		 err)))
		return e;
	return krn_fail(err, KRN_ERR_RATE_LIMIT, "%lld calls in %lld s",
			(long long)limit->quota,
			(long long)limit->window_seconds);
}

enum krn_err
krn_repeat_read(const struct krn_request *request, enum krn_tx tx,
		bool *ret_is_kept, struct krn_idempotency *ret,
		struct krn_error *err)
{
	*ret_is_kept =
	    request->method == KRN_POST && krn_auth_is_key(request->route) &&
	    (tx == KRN_TX_WRITE || tx == KRN_TX_PLAN) &&
	    !request->route->never_kept && request->idempotency_key.s;
	if (!*ret_is_kept)
		return KRN_OK;
	if (!krn_idempotency_key_is(request->idempotency_key))
		return krn_refuse(err, KRN_ERR_INVALID,
				  "an Idempotency-Key is 1 to 255 visible "
				  "ASCII characters");
	*ret = (struct krn_idempotency){
	    .method = "POST",
	    .path = request->path,
	    .key = request->idempotency_key,
	};
	krn_idempotency_hash(request->query, request->body, ret->hash);
	return KRN_OK;
}

enum krn_err
krn_repeat_answer(const struct krn_request *request,
		  const struct krn_rows *rows, struct krn_response *response,
		  bool *ret_answered, struct krn_error *err)
{
	struct krn_answer answer;
	enum krn_err e;

	if ((e = krn_idempotency_find(rows, request->caller.role, ret_answered,
				      &answer, err)) ||
	    !*ret_answered)
		return e;
	response->status = (int)answer.status;
	response->content_type = answer.content_type;
	krn_buf_add_str(&response->body, answer.body);
	krn_response_header(response, "Idempotency-Replayed", KRN_STR("true"));
	return KRN_OK;
}

enum krn_err
krn_repeat_keep(struct krn_request *request, const struct krn_idempotency *call,
		const struct krn_response *response, struct krn_error *err)
{
	struct krn_answer answer = {
	    .status = response->status,
	    .content_type = response->content_type,
	};
	enum krn_err e;

	if (response->status < 200 || response->status > 299)
		return KRN_OK;
	if ((e = krn_buf_end(&response->body, &answer.body, err)))
		return e;
	krn_idempotency_store(request->arena, request->db, call,
			      request->caller.role, &answer);
	return KRN_OK;
}
