/*
 * The dispatcher: match, check, authenticate, call, commit, write, log.
 */

#include "base/base.h"

#include "fcgi/dispatch.h"

#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "fcgi/auth.h"
#include "fcgi/fields.h"
#include "fcgi/match.h"
#include "fcgi/outcome.h"
#include "fcgi/repeat.h"

/*
 * A body of so many bytes is read and parsed while nobody knows who the caller
 * is: the statement that finds out travels with the handler's first. For a
 * larger one the caller is known first, at the price of a round trip.
 */
#define UNKNOWN_BODY_MAX ((int64_t)64 << 10)

/* What a request carries through the steps. */
struct dispatch_call {
	const struct krn_dispatch *dispatch;
	struct krn_request request;
	struct krn_response response;
	struct krn_credentials credentials;
	struct krn_identity identity;
	struct krn_idempotency repeat; /* when is_kept */
	bool is_kept;                  /* the answer is kept for a repetition */
	int64_t content_length;
	struct krn_match match;
};

/* Handlers see the call behind the request. */
static struct dispatch_call *
dispatch_call_of(struct krn_request *request)
{
	return (struct dispatch_call *)(void *)((char *)request -
						offsetof(struct dispatch_call,
							 request));
}

enum krn_err
krn_request_identify(struct krn_request *request, struct krn_error *err)
{
	struct dispatch_call *call = dispatch_call_of(request);
	enum krn_err e;

	if (request->caller.role != KRN_ROLE__UNSET)
		return KRN_OK;
	if ((e = krn_db_flush(request->db, err)))
		return e;
	krn_auth_take(request, &call->identity);
	return KRN_OK;
}

enum krn_err
krn_request_commit(struct krn_request *request,
		   const struct krn_response *response, struct krn_error *err)
{
	struct dispatch_call *call = dispatch_call_of(request);
	enum krn_err e;

	if (call->is_kept && krn_db_in_transaction(request->db) &&
	    (e = krn_repeat_keep(request, &call->repeat, response, err)))
		return e;
	return krn_db_commit(request->db, err);
}

void
krn_response_header(struct krn_response *response, const char *name,
		    struct krn_str value)
{
	KRN_BUG_IF(response->headers_nr == KRN_NR(response->headers));
	for (size_t i = 0; i < value.len; i++)
		KRN_BUG_IF(value.s[i] == '\r' || value.s[i] == '\n' ||
			   value.s[i] == '\0');
	response->headers[response->headers_nr++] =
	    (struct krn_header){name, value};
}

/* Media type, size, body */

static bool
dispatch_is_json(struct krn_str content_type)
{
	const ptrdiff_t end = krn_str_find_char(content_type, ';');

	if (end >= 0)
		content_type.len = (size_t)end;
	return krn_str_eq_nocase(krn_str_trim(content_type),
				 KRN_STR("application/json"));
}

static enum krn_err
dispatch_check_body(struct dispatch_call *call, struct krn_error *err)
{
	const struct krn_route *route = call->request.route;
	const bool has_body = call->content_length > 0;

	if (route->body == KRN_BODY_IGNORED)
		return KRN_OK;
	if ((route->body == KRN_BODY_JSON ||
	     (route->body == KRN_BODY_OPTIONAL_JSON && has_body)) &&
	    !dispatch_is_json(call->request.content_type))
		return krn_fail(err, KRN_ERR_MEDIA_TYPE,
				"the content type is \"%.*s\"",
				KRN_STR_ARG(call->request.content_type));
	if (has_body && (uint64_t)call->content_length > route->body_max)
		return krn_fail(err, KRN_ERR_TOOBIG,
				"the body has %lld bytes, the limit is %zu",
				(long long)call->content_length,
				route->body_max);
	return KRN_OK;
}

static enum krn_err
dispatch_read_body(struct dispatch_call *call, struct krn_error *err)
{
	if (call->content_length <= 0 ||
	    call->request.route->body == KRN_BODY_IGNORED)
		return KRN_OK;
	return krn_io_body(call->dispatch->io, call->request.arena,
			   (size_t)call->content_length, &call->request.body,
			   err);
}

/* The steps from identity to commit. */

static enum krn_tx
dispatch_tx(const struct krn_request *request)
{
	return request->route->tx_of ? request->route->tx_of(request)
				     : request->route->tx;
}

/* Begin, with the statement that authenticates queued. */
static enum krn_err
dispatch_begin(struct dispatch_call *call, struct krn_error *err)
{
	struct krn_request *request = &call->request;
	const enum krn_tx tx = dispatch_tx(request);
	enum krn_err e;

	if (tx == KRN_TX_NONE && !krn_auth_is_key(request->route))
		return KRN_OK;
	if ((e = krn_db_begin(request->db, request->arena,
			      tx == KRN_TX_NONE ? KRN_TX_READ : tx, err)))
		return e;
	if (krn_auth_is_key(request->route))
		krn_auth_send(request, &call->identity);
	return KRN_OK;
}

enum krn_err
krn_request_go_on(struct krn_request *request, struct krn_error *err)
{
	struct dispatch_call *call = dispatch_call_of(request);
	enum krn_err e;

	KRN_BUG_IF(call->is_kept);
	if ((e = krn_db_commit(request->db, err)))
		return e;
	return dispatch_begin(call, err);
}

/* Body, fields and Idempotency-Key: what a client got wrong. */
static enum krn_err
dispatch_parse(struct dispatch_call *call, struct krn_error *err)
{
	struct krn_request *request = &call->request;
	enum krn_err e;

	if ((e = dispatch_read_body(call, err)) ||
	    (e = krn_fields_parse(request, &request->fields, err)))
		return e;
	return krn_repeat_read(request, dispatch_tx(request), &call->is_kept,
			       &call->repeat, err);
}

/* With an Idempotency-Key: the answer of the first call, if there was one. */
static enum krn_err
dispatch_repeat(struct dispatch_call *call, bool *ret_answered,
		struct krn_error *err)
{
	struct krn_request *request = &call->request;
	const struct krn_rows *rows;
	enum krn_err e;

	*ret_answered = false;
	if (!call->is_kept)
		return KRN_OK;
	e = krn_idempotency_claim(request->arena, request->db, &call->repeat,
				  &rows, err);
	if (e == KRN_ERR_CONFLICT && strcmp(err->sqlstate, "40001") == 0) {
		/* the first call ended after our snapshot: take a new one */
		*err = (struct krn_error){.code = KRN_OK};
		krn_db_rollback(request->db);
		if ((e = dispatch_begin(call, err)))
			return e;
		e = krn_idempotency_claim(request->arena, request->db,
					  &call->repeat, &rows, err);
	}
	if (e)
		return e;
	krn_auth_take(request, &call->identity);
	return krn_repeat_answer(request, rows, &call->response, ret_answered,
				 err);
}

/*
 * Who calls, and may they now? All that the headers tell, before the body is
 * looked at: it is large only when the caller is known.
 */
static enum krn_err
dispatch_admit(struct dispatch_call *call, struct krn_error *err)
{
	struct krn_request *request = &call->request;
	const struct krn_route *route = request->route;
	enum krn_err e;

	if ((e = krn_auth_read(request, &call->credentials, &call->identity,
			       err)) ||
	    (e = krn_repeat_limit(request, &call->response, &call->identity,
				  err)))
		return e;
	/* the limit's transaction has found out */
	if (route->limit || !krn_auth_is_key(route) ||
	    call->content_length <= UNKNOWN_BODY_MAX)
		return KRN_OK;
	if ((e = krn_db_begin(request->db, request->arena, KRN_TX_READ, err)))
		return e;
	krn_auth_send(request, &call->identity);
	return krn_db_commit(request->db, err);
}

static enum krn_err
dispatch_serve(struct dispatch_call *call, struct krn_error *err)
{
	struct krn_request *request = &call->request;
	struct krn_error parse_err;
	enum krn_err e, parsed;
	bool answered;

	if ((e = dispatch_check_body(call, err)) ||
	    (e = dispatch_admit(call, err)))
		return e;
	parsed = dispatch_parse(call, &parse_err);
	if ((e = dispatch_begin(call, err)))
		return e;
	if (parsed) {
		/* without an identity nobody learns that the body was bad */
		if (krn_auth_is_key(request->route) &&
		    (e = krn_request_identify(request, err)))
			return e;
		*err = parse_err;
		return parsed;
	}
	if ((e = dispatch_repeat(call, &answered, err)) || answered)
		return e;
	if ((e = request->route->handler(request, &call->response, err)) ||
	    (e = krn_request_commit(request, &call->response, err)))
		return e;
	krn_auth_take(request, &call->identity);
	return KRN_OK;
}

/* Reading the request's parameters */

static void
dispatch_read_request(struct dispatch_call *call)
{
	const struct krn_dispatch *d = call->dispatch;
	struct krn_request *request = &call->request;
	struct krn_str method = krn_io_param(d->io, d->arena, "REQUEST_METHOD");
	struct krn_str length = krn_io_param(d->io, d->arena, "CONTENT_LENGTH");

	request->method = krn_method_parse(method);
	if (length.len &&
	    krn_parse_int64(length, 0, INT64_MAX, &call->content_length, NULL))
		call->content_length = INT64_MAX;

	const struct {
		const char *name;
		struct krn_str *into;
		bool always; /* "" when absent */
	} params[] = {
	    {"SCRIPT_NAME", &request->path, true},
	    {"QUERY_STRING", &request->query, true},
	    {"CONTENT_TYPE", &request->content_type, true},
	    {"REQUEST_ID", &request->caller.request_id, true},
	    {"HTTP_IF_MATCH", &request->if_match, false},
	    {"HTTP_IDEMPOTENCY_KEY", &request->idempotency_key, false},
	    {"HTTP_AUTHORIZATION", &call->credentials.authorization, false},
	    {"HTTP_X_API_KEY", &call->credentials.api_key, false},
	    {"HTTP_X_TENANT_ID", &call->credentials.tenant_id, false},
	    {"HTTP_X_CRON_SECRET", &call->credentials.cron_secret, false},
	    {"HTTP_X_CRON_TOKEN", &call->credentials.cron_token, false},
	    {"REMOTE_ADDR", &call->credentials.remote_address, false},
	};

	for (size_t i = 0; i < KRN_NR(params); i++) {
		*params[i].into = krn_io_param(d->io, d->arena, params[i].name);
		if (!params[i].into->s && params[i].always)
			*params[i].into = KRN_STR("");
	}
	if (request->caller.request_id.len == 0)
		request->caller.request_id = krn_id_new(d->arena, "req");
	if (!request->caller.request_id.s)
		request->caller.request_id = KRN_STR("");
}

/* Everything between reading the parameters and writing the response. */
static enum krn_err
dispatch_answer(struct dispatch_call *call, struct krn_error *err)
{
	struct krn_request *request = &call->request;
	struct krn_match *match = &call->match;

	krn_match(call->dispatch->pool, request->method, request->path, match);
	request->route = match->route;
	memcpy(request->path_params, match->params, sizeof(match->params));
	if (!match->route && !match->allowed)
		return match->wrong_pool
			   ? krn_fail(err, KRN_ERR_NOTFOUND,
				      "the route is not of this pool")
			   : krn_refuse(err, KRN_ERR_NOTFOUND, "no such route");
	if (!match->route || request->method == 0) {
		krn_match_allow(match, request->arena, &call->response);
		return krn_fail(err, KRN_ERR_METHOD, "method not allowed");
	}
	if (request->method == KRN_OPTIONS) {
		krn_match_allow(match, request->arena, &call->response);
		call->response.status = 204;
		return KRN_OK;
	}
	return dispatch_serve(call, err);
}

/* What is left to do when the client has its answer. */
static void
dispatch_afterwards(struct dispatch_call *call, bool is_success)
{
	struct krn_request *request = &call->request;
	const struct krn_route *route = request->route;
	struct krn_error err;

	if (krn_auth_note_use(request, &call->identity, &err))
		krn_log_error(KRN_LOG_WARNING, "last use of a key not noted",
			      &err);
	if (is_success && route && route->afterwards &&
	    request->method != KRN_OPTIONS && route->afterwards(request, &err))
		krn_log_error(KRN_LOG_WARNING, "what follows an answer failed",
			      &err);
	krn_db_rollback(request->db);
}

void
krn_dispatch(const struct krn_dispatch *dispatch)
{
	const struct krn_outcome outcome = {
	    .pool = dispatch->pool,
	    .start_us = krn_clock_monotonic_us(),
	    .database_us = krn_db_total_us(dispatch->db),
	};
	struct krn_error err = {.code = KRN_OK};
	struct dispatch_call call = {
	    .dispatch = dispatch,
	    .request = {.arena = dispatch->arena,
			.db = dispatch->db,
			.options = dispatch->options,
			.body = KRN_STR("")},
	    .response = {.status = 200, .content_type = "application/json"},
	};

	krn_buf_init(&call.response.body, dispatch->arena);
	dispatch_read_request(&call);
	krn_response_header(&call.response, "X-Request-Id",
			    call.request.caller.request_id);
	krn_response_header(&call.response, "Cache-Control",
			    KRN_STR("no-store"));

	enum krn_err e = dispatch_answer(&call, &err);
	struct krn_str body;

	if (!e)
		e = krn_buf_end(&call.response.body, &body, &err);
	krn_db_rollback(dispatch->db);
	if (e)
		krn_outcome_error(&call.request, &call.response, &err);
	krn_io_write(dispatch->io, &call.response,
		     call.request.method != KRN_HEAD);
	krn_io_finish(dispatch->io);
	krn_outcome_log(&outcome, &call.request, &call.response, &err,
			call.match.wrong_pool);
	krn_outcome_measure(&outcome, &call.request, &call.response);
	dispatch_afterwards(&call, !e);
}
