/*
 * API keys. The key itself is in one answer only, and nowhere else.
 */

#include "base/base.h"

#include "fcgi/route_apikey.h"

#include "access/apikey.h"
#include "base/clock.h"
#include "base/json_out.h"
#include "fcgi/document.h"
#include "fcgi/fields.h"

enum krn_err
krn_route_apikey_list(struct krn_request *request,
		      struct krn_response *response, struct krn_error *err)
{
	return krn_document_list(request, response, KRN_STMT_apikey_live, NULL,
				 err);
}

/* The body, with what is left out: a role, a name. */
static enum krn_err
apikey_fields(struct krn_request *request, struct krn_apikey_fields *ret,
	      struct krn_error *err)
{
	const struct krn_apikey_body_fields *body = request->fields;
	const int64_t now_us = krn_clock_us();
	int64_t expires_us;
	enum krn_err e;

	*ret = (struct krn_apikey_fields){
	    .name = body->name.s ? body->name
				 : krn_str_printf(request->arena, "key-%lld",
						  (long long)(now_us / 1000)),
	    .role = request->caller.role,
	    .expires = body->expires_at,
	};
	if (!ret->name.s)
		return krn_arena_fail(request->arena, err);
	if (body->role.s)
		KRN_BUG_IF(!krn_role_parse(body->role, &ret->role));
	if (body->expires_at.s) {
		if ((e = krn_time_parse(body->expires_at, &expires_us, err)))
			return e;
		if (expires_us <= now_us)
			return krn_refuse(err, KRN_ERR_INVALID,
					  "expiresAt is in the past");
	}
	/* how long they are, krn_apikey_create looks at */
	return body->scopes
		   ? krn_fields_strings(request, body->scopes, "scopes",
					&ret->scopes, &ret->scopes_nr, err)
		   : KRN_OK;
}

static void
apikey_write(struct krn_buf *buf, const struct krn_apikey *key,
	     const struct krn_apikey_fields *fields)
{
	struct krn_json_out out;

	krn_json_init(&out, buf);
	krn_json_obj_open(&out, NULL);
	krn_json_str(&out, "id", key->id);
	krn_json_str(&out, "name", fields->name);
	krn_json_str(&out, "key", key->key);
	krn_json_str(&out, "prefix", key->prefix);
	krn_json_c(&out, "role", krn_role_name(fields->role));
	krn_json_arr_open(&out, "scopes");
	for (size_t i = 0; i < fields->scopes_nr; i++)
		krn_json_str(&out, NULL, fields->scopes[i]);
	krn_json_close(&out);
	krn_json_str(&out, "expiresAt", key->expires_at);
	krn_json_str(&out, "createdAt", key->created_at);
	krn_json_c(&out, "warning",
		   "Store this key securely. It will not be shown again.");
	krn_json_close(&out);
	krn_json_end(&out);
}

enum krn_err
krn_route_apikey_create(struct krn_request *request,
			struct krn_response *response, struct krn_error *err)
{
	struct krn_apikey_fields fields;
	struct krn_apikey key;
	enum krn_err e;

	if ((e = krn_request_identify(request, err)) ||
	    (e = apikey_fields(request, &fields, err)) ||
	    (e = krn_apikey_create(
		 request->arena, request->db, &request->caller,
		 request->options->api_key_pepper, &fields, &key, err)))
		return e;
	apikey_write(&response->body, &key, &fields);
	response->status = 201;
	response->rows = 1;
	return KRN_OK;
}

enum krn_err
krn_route_apikey_delete(struct krn_request *request,
			struct krn_response *response, struct krn_error *err)
{
	const struct krn_apikey_delete_fields *fields = request->fields;
	enum krn_err e;

	if ((e = krn_request_identify(request, err)))
		return e;
	response->status = 204;
	return krn_apikey_revoke(request->arena, request->db, &request->caller,
				 fields->id, fields->reason, err);
}
