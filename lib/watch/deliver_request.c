/*
 * A delivery as a request: what all kinds of providers have in common, and the
 * message as a webhook receives it.
 */

#include "base/base.h"

#include "watch/deliver_private.h"

#include "base/crypto.h"
#include "base/json_out.h"
#include "watch/form.h"

/* Common */

static enum krn_err
deliver_header(struct deliver_call *call, const char *name,
	       struct krn_str value, struct krn_error *err)
{
	const struct krn_str line =
	    krn_str_printf(call->arena, "%s: %.*s", name, KRN_STR_ARG(value));

	KRN_BUG_IF(call->headers_nr + 1 >= DELIVER_HEADERS_MAX);
	if (!line.s)
		return krn_arena_fail(call->arena, err);
	call->headers[call->headers_nr++] = line.s;
	return KRN_OK;
}

const struct krn_value *
deliver_list(const struct krn_value *message, const char *name, size_t *ret_nr)
{
	const struct krn_value *list = krn_value_find(message, name);
	const bool is = list && list->type == KRN_VALUE_ARRAY;

	*ret_nr = is ? list->array.nr : 0;
	return is ? list->array.items : NULL;
}

enum krn_err
deliver_body(struct deliver_call *call, const struct krn_buf *buf,
	     struct krn_error *err)
{
	const struct krn_str key = call->row.key;
	enum krn_err e;

	if ((e = krn_buf_end(buf, &call->request.body, err)) ||
	    (e = deliver_header(call, "Content-Type",
				KRN_STR("application/json"), err)) ||
	    (e = deliver_header(call, "User-Agent", KRN_STR("kaireon"), err)) ||
	    (e = deliver_header(call, "Idempotency-Key", key, err)))
		return e;
	/* no question whether the body may be sent */
	call->headers[call->headers_nr++] = "Expect:";
	return KRN_OK;
}

/* Webhook */

static enum krn_err
deliver_sign(struct deliver_call *call, struct krn_error *err)
{
	const struct krn_str secret = krn_form_text(&call->config, "secret");
	unsigned char digest[KRN_SHA256_BYTES];
	char text[7 + KRN_SHA256_HEX_BYTES] = "sha256=";

	if (!secret.len)
		return KRN_OK;
	krn_hmac_sha256(secret, call->request.body, digest);
	krn_format_hex(digest, sizeof(digest), text + 7);
	return deliver_header(call, "X-Kaireon-Signature", krn_str_c(text),
			      err);
}

static enum krn_err
deliver_webhook_headers(struct deliver_call *call, struct krn_error *err)
{
	const struct krn_value *headers =
	    krn_value_find(&call->config, "headers");
	enum krn_err e;

	for (size_t i = 0; headers && i < headers->object.nr; i++)
		if ((e = deliver_header(call, headers->object.members[i].name.s,
					headers->object.members[i].value.string,
					err)))
			return e;
	return deliver_header(call, "X-Kaireon-Event",
			      krn_form_text(&call->message, "type"), err);
}

static enum krn_err
deliver_webhook(struct deliver_call *call, struct krn_error *err)
{
	struct krn_json_out out;
	struct krn_buf buf;
	enum krn_err e;

	call->request.url = krn_form_text(&call->config, "url");
	krn_buf_init(&buf, call->arena);
	krn_json_init(&out, &buf);
	krn_json_obj_open(&out, NULL);
	krn_json_str(&out, "id", call->row.id);
	krn_json_str(&out, "tenantId", call->row.tenant_id);
	krn_json_str(&out, "createdAt", call->row.created_at);
	for (size_t i = 0; i < call->message.object.nr; i++) {
		const struct krn_member *member =
		    &call->message.object.members[i];

		if (!krn_str_eq_c(member->name, "attachments"))
			krn_json_value(&out, member->name.s, &member->value);
	}
	krn_json_close(&out);
	krn_json_end(&out);
	if ((e = deliver_body(call, &buf, err)) ||
	    (e = deliver_sign(call, err)))
		return e;
	return deliver_webhook_headers(call, err);
}

/* Kinds */

enum krn_err
deliver_prepare(struct deliver_call *call, struct krn_error *err)
{
	static const struct {
		const char *kind;
		enum krn_err (*prepare)(struct deliver_call *call,
					struct krn_error *err);
	} kinds[] = {
	    {"slack", deliver_slack},
	    {"teams", deliver_teams},
	    {"webhook", deliver_webhook},
	    {"ops_email", deliver_email},
	};

	for (size_t i = 0; i < KRN_NR(kinds); i++)
		if (krn_str_eq_c(call->row.provider_kind, kinds[i].kind))
			return kinds[i].prepare(call, err);
	return krn_refuse(err, KRN_ERR_INVALID, "unknown kind of provider");
}
