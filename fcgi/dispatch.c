/*
 * The dispatcher: match, check, authenticate, call, commit, write, log.
 */

#include "base/base.h"

#include "fcgi/dispatch.h"

#include "base/clock.h"
#include "base/id.h"
#include "base/json_out.h"
#include "base/log.h"
#include "base/registry.h"
#include "fcgi/auth.h"
#include "fcgi/fields.h"
#include "fcgi/repeat.h"

/* Longer paths are no route of ours. */
#define PATH_MAX_BYTES 2048

/* What a request carries through the steps. */
struct dispatch_call {
	const struct krn_dispatch *dispatch;
	struct krn_request request;
	struct krn_response response;
	struct krn_credentials credentials;
	struct krn_identity identity;
	struct krn_idempotency repeat; /* when is_kept */
	bool is_kept;     /* the answer is kept for a repetition */
	unsigned allowed; /* methods of the path's rows, for Allow */
	int64_t content_length;
	bool wrong_pool;
};

static const struct {
	const char *name;
	enum krn_method method;
} dispatch_methods[] = {
    {"GET", KRN_GET},     {"HEAD", KRN_HEAD},     {"POST", KRN_POST},
    {"PUT", KRN_PUT},     {"PATCH", KRN_PATCH},   {"DELETE", KRN_DELETE},
    {"OPTIONS", KRN_OPTIONS},
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

/* Matching */

/* Does the path fit the pattern? Fills the parameters. */
static bool
dispatch_path_fits(const char *pattern, struct krn_str path,
		   struct krn_str params[4])
{
	struct krn_str want = krn_str_c(pattern), part, segment;
	size_t nr = 0;

	for (;;) {
		const bool more_want = krn_str_split(&want, '/', &part);
		const bool more_path = krn_str_split(&path, '/', &segment);

		if (more_want != more_path)
			return false;
		if (!more_want)
			return true;
		if (part.len && part.s[0] == '{') {
			if (segment.len == 0 || nr == 4)
				return false;
			params[nr++] = segment;
		} else if (!krn_str_eq(part, segment)) {
			return false;
		}
	}
}

static bool
dispatch_pool_fits(const struct krn_route *route, enum krn_pool pool)
{
	return route->pool == pool || route->pool == KRN_POOL_BOTH;
}

static unsigned
dispatch_route_methods(const struct krn_route *route)
{
	const bool is_cron = route->auth == KRN_AUTH_CRON_SECRET ||
			     route->auth == KRN_AUTH_CRON_TOKEN;
	unsigned methods = route->methods | KRN_OPTIONS;

	if ((methods & KRN_GET) && !is_cron)
		methods |= KRN_HEAD;
	return methods;
}

/* The row of path and method; else NULL and what the path allows. */
static const struct krn_route *
dispatch_match(struct dispatch_call *call)
{
	struct krn_request *request = &call->request;
	const struct krn_route *found = NULL;
	size_t best_literal = 0;
	bool elsewhere = false;

	if (request->path.len > PATH_MAX_BYTES ||
	    !krn_str_is_utf8(request->path))
		return NULL;
	for (size_t i = 0; i < krn_routes_nr; i++) {
		const struct krn_route *route = &krn_routes[i];
		struct krn_str params[4] = {{NULL, 0}};
		/* a literal path wins over "{id}" in its place */
		const bool literal = !strchr(route->path, '{');

		if (!dispatch_path_fits(route->path, request->path, params) ||
		    (best_literal && !literal))
			continue;
		if (!dispatch_pool_fits(route, call->dispatch->pool)) {
			call->wrong_pool = true;
			elsewhere |= literal;
			continue;
		}
		if (literal && !best_literal) {
			best_literal = 1;
			call->allowed = 0;
			found = NULL;
		}
		call->allowed |= dispatch_route_methods(route);
		if (!(dispatch_route_methods(route) & request->method) ||
		    (request->method == KRN_OPTIONS && found))
			continue;
		found = route;
		memcpy(request->path_params, params, sizeof(params));
	}
	/* its path is another pool's, whatever "{id}" would take here */
	if (elsewhere && !best_literal) {
		call->allowed = 0;
		return NULL;
	}
	return found;
}

static void
dispatch_allow(struct dispatch_call *call)
{
	struct krn_buf list;
	struct krn_str text;

	krn_buf_init(&list, call->request.arena);
	for (size_t i = 0; i < KRN_NR(dispatch_methods); i++)
		if (call->allowed & dispatch_methods[i].method)
			krn_buf_printf(&list, "%s%s", list.len ? ", " : "",
				       dispatch_methods[i].name);
	if (krn_buf_end(&list, &text, NULL) == KRN_OK)
		krn_response_header(&call->response, "Allow", text);
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

static enum krn_err
dispatch_serve(struct dispatch_call *call, struct krn_error *err)
{
	struct krn_request *request = &call->request;
	struct krn_error parse_err;
	enum krn_err e, parsed;
	bool answered;

	if ((e = dispatch_check_body(call, err)))
		return e;
	parsed = dispatch_parse(call, &parse_err);
	if ((e = krn_auth_read(request, &call->credentials, &call->identity,
			       err)) ||
	    (e = krn_repeat_limit(request, &call->response, &call->identity,
				  err)) ||
	    (e = dispatch_begin(call, err)))
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

/* The response of a failure. */

static void
dispatch_write_error(struct dispatch_call *call, const struct krn_error *err)
{
	const struct krn_err_row *row = krn_err_row(err->code);
	struct krn_response *response = &call->response;
	struct krn_json_out out;

	response->status = row->http;
	response->content_type = "application/json";
	krn_buf_clear(&response->body);
	krn_json_init(&out, &response->body);
	krn_json_obj_open(&out, NULL);
	krn_json_obj_open(&out, "error");
	krn_json_c(&out, "code", row->wire);
	krn_json_c(&out, "message",
		   err->message[0] ? err->message : row->message);
	krn_json_int(&out, "status", row->http);
	krn_json_str(&out, "requestId", call->request.caller.request_id);
	if (err->problems && err->problems->nr) {
		const size_t listed = err->problems->nr < KRN_PROBLEM_MAX
					  ? err->problems->nr
					  : KRN_PROBLEM_MAX;

		krn_json_arr_open(&out, "details");
		for (size_t i = 0; i < listed; i++) {
			const struct krn_problem *p = &err->problems->list[i];

			krn_json_obj_open(&out, NULL);
			krn_json_c(&out, "field", p->field);
			krn_json_c(&out, "message", p->message);
			krn_json_close(&out);
		}
		krn_json_close(&out);
		krn_json_int(&out, "problems", (int64_t)err->problems->nr);
	}
	krn_json_close(&out);
	krn_json_close(&out);
	krn_json_end(&out);
	if (err->code == KRN_ERR_UNAUTHORIZED)
		krn_response_header(response, "WWW-Authenticate",
				    KRN_STR("Bearer"));
	if (err->code == KRN_ERR_UNAVAILABLE)
		krn_response_header(response, "Retry-After", KRN_STR("2"));
}

static void
dispatch_log(const struct dispatch_call *call, const struct krn_error *err,
	     int64_t start_us)
{
	const struct krn_request *request = &call->request;
	const struct krn_response *response = &call->response;
	const enum krn_log_level level =
	    response->status >= 500 || call->wrong_pool ? KRN_LOG_ERROR
							: KRN_LOG_INFO;

	/* a 501 and a 503 are as planned */
	krn_log(response->status == 501 || response->status == 503
		    ? KRN_LOG_WARNING
		    : level,
		"request", KRN_LOG_STR("request_id", request->caller.request_id),
		KRN_LOG_C("route", request->route ? request->route->name : "none"),
		KRN_LOG_INT("status", response->status),
		KRN_LOG_STR("tenant", request->caller.tenant_id),
		KRN_LOG_C("error", err->code ? krn_err_row(err->code)->id : "-"),
		KRN_LOG_C("sqlstate", err->code ? err->sqlstate : ""),
		KRN_LOG_C("detail", err->code ? err->detail : ""),
		KRN_LOG_INT("duration_us", krn_clock_monotonic_us() - start_us),
		KRN_LOG_INT("db_us", krn_db_spent_us(request->db)),
		KRN_LOG_INT("rows", response->rows),
		KRN_LOG_INT("bytes", (int64_t)response->body.len));
}

static void
dispatch_measure(const struct dispatch_call *call, int64_t start_us,
		 int64_t database_us)
{
	const struct krn_request *request = &call->request;
	const char *pool =
	    call->dispatch->pool == KRN_POOL_API ? "api" : "cron";
	const char *route = request->route ? request->route->name : "none";
	const char *method = "other";
	char status[8];

	snprintf(status, sizeof(status), "%d", call->response.status);
	for (size_t i = 0; i < KRN_NR(dispatch_methods); i++)
		if (request->method == dispatch_methods[i].method)
			method = dispatch_methods[i].name;
	krn_registry_add(KRN_REGISTRY_HTTP_REQUESTS,
			 (const char *[]){pool, route, status}, 1);
	krn_registry_observe(KRN_REGISTRY_HTTP_SECONDS,
			     (const char *[]){pool, method, route, status},
			     krn_clock_monotonic_us() - start_us);
	krn_registry_add(KRN_REGISTRY_DATABASE_SECONDS,
			 (const char *[]){pool},
			 krn_db_total_us(request->db) - database_us);
}

/* Reading the request's parameters */

static void
dispatch_read_request(struct dispatch_call *call)
{
	const struct krn_dispatch *d = call->dispatch;
	struct krn_request *request = &call->request;
	struct krn_str method = krn_io_param(d->io, d->arena, "REQUEST_METHOD");
	struct krn_str length = krn_io_param(d->io, d->arena, "CONTENT_LENGTH");

	for (size_t i = 0; method.s && i < KRN_NR(dispatch_methods); i++)
		if (krn_str_eq_c(method, dispatch_methods[i].name))
			request->method = dispatch_methods[i].method;
	if (length.len && krn_parse_int64(length, 0, INT64_MAX,
					  &call->content_length, NULL))
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

	request->route = dispatch_match(call);
	if (!request->route && !call->allowed)
		return call->wrong_pool
			   ? krn_fail(err, KRN_ERR_NOTFOUND,
				      "the route is not of this pool")
			   : krn_refuse(err, KRN_ERR_NOTFOUND, "no such route");
	if (!request->route || request->method == 0) {
		dispatch_allow(call);
		return krn_fail(err, KRN_ERR_METHOD, "method not allowed");
	}
	if (request->method == KRN_OPTIONS) {
		dispatch_allow(call);
		call->response.status = 204;
		return KRN_OK;
	}
	return dispatch_serve(call, err);
}

void
krn_dispatch(const struct krn_dispatch *dispatch)
{
	const int64_t start_us = krn_clock_monotonic_us();
	const int64_t database_us = krn_db_total_us(dispatch->db);
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
		dispatch_write_error(&call, &err);
	krn_io_write(dispatch->io, &call.response,
		     call.request.method != KRN_HEAD);
	krn_io_finish(dispatch->io);
	dispatch_log(&call, &err, start_us);
	dispatch_measure(&call, start_us, database_us);
	if (krn_auth_note_use(&call.request, &call.identity, &err))
		krn_log_error(KRN_LOG_WARNING, "last use of a key not noted",
			      &err);
}
