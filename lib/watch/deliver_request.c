/*
 * A delivery as a request: the same message in the words of each kind of
 * provider.
 *
 * Source: Slack, Block Kit; Microsoft, Adaptive Cards 1.4 for incoming
 * webhooks; RFC 5322, 2045-2047 and 3834 for e-mail.
 */

#include "base/base.h"

#include "watch/deliver_private.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/json_out.h"
#include "watch/form.h"

/* Helpers */

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

/* The list in a member; nr 0 when there is none. */
static const struct krn_value *
deliver_list(const struct krn_value *message, const char *name, size_t *ret_nr)
{
	const struct krn_value *list = krn_value_find(message, name);
	const bool is = list && list->type == KRN_VALUE_ARRAY;

	*ret_nr = is ? list->array.nr : 0;
	return is ? list->array.items : NULL;
}

/* At most so many code points. */
static struct krn_str
deliver_cut(struct krn_str text, size_t points)
{
	struct krn_str rest = text;
	uint32_t point;

	while (points-- && krn_str_next(&rest, &point))
		;
	return krn_str_from(text.s, text.len - rest.len);
}

/* The body of a JSON request. */
static enum krn_err
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

/* Slack */

/* Source: Slack, "Formatting text": these three are escaped. */
static struct krn_str
deliver_slack_text(struct krn_arena *arena, struct krn_str text)
{
	struct krn_buf buf;
	struct krn_str ret;

	krn_buf_init(&buf, arena);
	for (size_t i = 0; i < text.len; i++) {
		const char c = text.s[i];

		if (c == '&')
			krn_buf_add_c(&buf, "&amp;");
		else if (c == '<')
			krn_buf_add_c(&buf, "&lt;");
		else if (c == '>')
			krn_buf_add_c(&buf, "&gt;");
		else
			krn_buf_add_char(&buf, c);
	}
	return krn_buf_end(&buf, &ret, NULL) ? KRN_STR("") : ret;
}

static void
deliver_slack_section(struct krn_json_out *out, struct krn_str text)
{
	if (!text.len)
		return;
	krn_json_obj_open(out, NULL);
	krn_json_c(out, "type", "section");
	krn_json_obj_open(out, "text");
	krn_json_c(out, "type", "mrkdwn");
	krn_json_str(out, "text", text);
	krn_json_close(out);
	krn_json_close(out);
}

/* "*Observed*: 2 %" a line, and the links. */
static struct krn_str
deliver_slack_facts(struct deliver_call *call)
{
	struct krn_arena *arena = call->arena;
	struct krn_buf buf;
	struct krn_str ret;
	size_t nr;
	const struct krn_value *items =
	    deliver_list(&call->message, "facts", &nr);

	krn_buf_init(&buf, arena);
	for (size_t i = 0; i < nr; i++)
		krn_buf_printf(&buf, "%s*%.*s*: %.*s", i ? "\n" : "",
			       KRN_STR_ARG(deliver_slack_text(
				   arena, krn_form_text(&items[i], "name"))),
			       KRN_STR_ARG(deliver_slack_text(
				   arena, krn_form_text(&items[i], "value"))));
	items = deliver_list(&call->message, "links", &nr);
	for (size_t i = 0; i < nr; i++)
		krn_buf_printf(&buf, "%s<%.*s|%.*s>", buf.len ? "\n" : "",
			       KRN_STR_ARG(krn_form_text(&items[i], "url")),
			       KRN_STR_ARG(deliver_slack_text(
				   arena, krn_form_text(&items[i], "title"))));
	return krn_buf_end(&buf, &ret, NULL) ? KRN_STR("") : ret;
}

static enum krn_err
deliver_slack(struct deliver_call *call, struct krn_error *err)
{
	const struct krn_str title = krn_form_text(&call->message, "title");
	struct krn_json_out out;
	struct krn_buf buf;

	call->request.url = krn_form_text(&call->config, "webhookUrl");
	krn_buf_init(&buf, call->arena);
	krn_json_init(&out, &buf);
	krn_json_obj_open(&out, NULL);
	krn_json_str(&out, "text", deliver_slack_text(call->arena, title));
	krn_json_arr_open(&out, "blocks");
	krn_json_obj_open(&out, NULL);
	krn_json_c(&out, "type", "header");
	krn_json_obj_open(&out, "text");
	krn_json_c(&out, "type", "plain_text");
	krn_json_str(&out, "text", deliver_cut(title, 150));
	krn_json_close(&out);
	krn_json_close(&out);
	deliver_slack_section(
	    &out,
	    deliver_slack_text(
		call->arena,
		deliver_cut(krn_form_text(&call->message, "text"), 2000)));
	deliver_slack_section(&out, deliver_slack_facts(call));
	krn_json_close(&out);
	krn_json_close(&out);
	krn_json_end(&out);
	return deliver_body(call, &buf, err);
}

/* Teams */

static void
deliver_card_text(struct krn_json_out *out, struct krn_str text, bool is_title)
{
	if (!text.len)
		return;
	krn_json_obj_open(out, NULL);
	krn_json_c(out, "type", "TextBlock");
	krn_json_str(out, "text", text);
	krn_json_bool(out, "wrap", true);
	if (is_title) {
		krn_json_c(out, "size", "Large");
		krn_json_c(out, "weight", "Bolder");
	}
	krn_json_close(out);
}

static void
deliver_card_facts(struct krn_json_out *out, const struct krn_value *message)
{
	size_t nr;
	const struct krn_value *facts = deliver_list(message, "facts", &nr);

	if (!nr)
		return;
	krn_json_obj_open(out, NULL);
	krn_json_c(out, "type", "FactSet");
	krn_json_arr_open(out, "facts");
	for (size_t i = 0; i < nr; i++) {
		krn_json_obj_open(out, NULL);
		krn_json_str(out, "title", krn_form_text(&facts[i], "name"));
		krn_json_str(out, "value", krn_form_text(&facts[i], "value"));
		krn_json_close(out);
	}
	krn_json_close(out);
	krn_json_close(out);
}

static void
deliver_card_actions(struct krn_json_out *out, const struct krn_value *message)
{
	size_t nr;
	const struct krn_value *links = deliver_list(message, "links", &nr);

	krn_json_arr_open(out, "actions");
	for (size_t i = 0; i < nr; i++) {
		krn_json_obj_open(out, NULL);
		krn_json_c(out, "type", "Action.OpenUrl");
		krn_json_str(out, "title", krn_form_text(&links[i], "title"));
		krn_json_str(out, "url", krn_form_text(&links[i], "url"));
		krn_json_close(out);
	}
	krn_json_close(out);
}

static enum krn_err
deliver_teams(struct deliver_call *call, struct krn_error *err)
{
	struct krn_json_out out;
	struct krn_buf buf;

	call->request.url = krn_form_text(&call->config, "webhookUrl");
	krn_buf_init(&buf, call->arena);
	krn_json_init(&out, &buf);
	krn_json_obj_open(&out, NULL);
	krn_json_c(&out, "type", "message");
	krn_json_arr_open(&out, "attachments");
	krn_json_obj_open(&out, NULL);
	krn_json_c(&out, "contentType",
		   "application/vnd.microsoft.card.adaptive");
	krn_json_obj_open(&out, "content");
	krn_json_c(&out, "$schema",
		   "http://adaptivecards.io/schemas/adaptive-card.json");
	krn_json_c(&out, "type", "AdaptiveCard");
	krn_json_c(&out, "version", "1.4");
	krn_json_arr_open(&out, "body");
	deliver_card_text(&out, krn_form_text(&call->message, "title"), true);
	deliver_card_text(&out, krn_form_text(&call->message, "text"), false);
	deliver_card_facts(&out, &call->message);
	krn_json_close(&out);
	deliver_card_actions(&out, &call->message);
	krn_json_close(&out);
	krn_json_close(&out);
	krn_json_close(&out);
	krn_json_close(&out);
	krn_json_end(&out);
	return deliver_body(call, &buf, err);
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

/* E-mail */

#define DELIVER_BOUNDARY "=_kaireon_part"

/* A header's text: as it is, or as encoded words of RFC 2047. */
static void
deliver_mail_words(struct krn_buf *buf, struct krn_str text)
{
	bool plain = text.len <= 900;

	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.s[i] < ' ' || text.s[i] >= 0x7f ||
		    text.s[i] < 0)
			plain = false;
	if (plain) {
		krn_buf_add_str(buf, text);
		return;
	}
	/* 45 bytes make 60 characters; a word has 75 at most */
	for (bool first = true; text.len; first = false) {
		struct krn_str part = krn_str_whole(
		    krn_str_from(text.s, text.len < 45 ? text.len : 45));

		krn_buf_add_c(buf, first ? "=?utf-8?B?" : "\r\n =?utf-8?B?");
		krn_base64(buf, part, 0);
		krn_buf_add_c(buf, "?=");
		text = krn_str_from(text.s + part.len, text.len - part.len);
	}
}

/* "Mon, 30 Mar 2026 02:00:00 +0000" */
static void
deliver_mail_date(struct krn_buf *buf)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	const struct krn_civil c = krn_civil_from_us(krn_clock_us());

	krn_buf_printf(buf,
		       "Date: %.3s, %02d %.3s %04d %02d:%02d:%02d +0000\r\n",
		       days + 3 * c.weekday, c.day, months + 3 * (c.month - 1),
		       c.year, c.hour, c.minute, c.second);
}

static void
deliver_mail_head(struct deliver_call *call, struct krn_buf *buf)
{
	const struct krn_http_mail *mail = &call->mail;
	const struct krn_str reply_to = krn_form_text(&call->config, "replyTo");
	const ptrdiff_t at = krn_str_find_char(mail->from, '@');
	const struct krn_str domain = krn_str_from(
	    mail->from.s + at + 1, mail->from.len - (size_t)(at + 1));

	krn_buf_printf(buf, "From: %.*s\r\nTo: ", KRN_STR_ARG(mail->from));
	for (size_t i = 0; i < mail->recipients_nr; i++)
		krn_buf_printf(buf, "%s%.*s", i ? ",\r\n " : "",
			       KRN_STR_ARG(mail->recipients[i]));
	krn_buf_add_c(buf, "\r\n");
	if (reply_to.len)
		krn_buf_printf(buf, "Reply-To: %.*s\r\n",
			       KRN_STR_ARG(reply_to));
	krn_buf_add_c(buf, "Subject: ");
	deliver_mail_words(buf, krn_form_text(&call->message, "title"));
	krn_buf_add_c(buf, "\r\n");
	deliver_mail_date(buf);
	krn_buf_printf(buf,
		       "Message-ID: <%.*s@%.*s>\r\n"
		       "Idempotency-Key: %.*s\r\n"
		       "Auto-Submitted: auto-generated\r\n"
		       "MIME-Version: 1.0\r\n",
		       KRN_STR_ARG(call->row.id), KRN_STR_ARG(domain),
		       KRN_STR_ARG(call->row.key));
}

/* What people read. */
static void
deliver_mail_text(struct deliver_call *call, struct krn_buf *buf)
{
	struct krn_buf text;
	struct krn_str plain;
	size_t nr;
	const struct krn_value *items;

	krn_buf_init(&text, call->arena);
	krn_buf_add_str(&text, krn_form_text(&call->message, "text"));
	krn_buf_add_c(&text, "\r\n");
	items = deliver_list(&call->message, "facts", &nr);
	for (size_t i = 0; i < nr; i++)
		krn_buf_printf(&text, "%s%.*s: %.*s\r\n", i ? "" : "\r\n",
			       KRN_STR_ARG(krn_form_text(&items[i], "name")),
			       KRN_STR_ARG(krn_form_text(&items[i], "value")));
	items = deliver_list(&call->message, "links", &nr);
	for (size_t i = 0; i < nr; i++)
		krn_buf_printf(&text, "%s%.*s: %.*s\r\n", i ? "" : "\r\n",
			       KRN_STR_ARG(krn_form_text(&items[i], "title")),
			       KRN_STR_ARG(krn_form_text(&items[i], "url")));
	krn_buf_add_c(buf, "Content-Type: text/plain; charset=utf-8\r\n"
			   "Content-Transfer-Encoding: base64\r\n\r\n");
	if (krn_buf_end(&text, &plain, NULL))
		buf->failed = true;
	else
		krn_base64(buf, plain, 76);
}

static const struct {
	const char *format, *type, *suffix;
} deliver_types[] = {
    {"csv", "text/csv; charset=utf-8", "csv"},
    {"html", "text/html; charset=utf-8", "html"},
    {"markdown", "text/markdown; charset=utf-8", "md"},
    {"pdf", "application/pdf", "pdf"},
};

/* The artifacts that the message names; base64 comes from the database. */
static enum krn_err
deliver_mail_attachments(struct deliver_call *call, struct krn_buf *buf,
			 struct krn_error *err)
{
	const struct krn_str run_id = krn_form_text(
	    krn_value_find(&call->message, "attachments"), "runId");
	const struct krn_param params[] = {krn_param_str(call->row.tenant_id),
					   krn_param_str(run_id)};
	const struct krn_rows *rows;
	enum krn_err e;

	if ((e = krn_db_begin(call->db, call->arena, KRN_TX_READ, err)) ||
	    (e = krn_db_exec(call->db, KRN_STMT_report_attachments, params,
			     &rows, err)))
		return e;
	for (size_t i = 0; i < krn_rows_nr(rows); i++) {
		struct krn_str lines = krn_rows_str(rows, i, 1), line;
		size_t k = 0;

		while (!krn_str_eq_c(krn_rows_str(rows, i, 0),
				     deliver_types[k].format))
			k++;
		krn_buf_printf(buf,
			       "--" DELIVER_BOUNDARY "\r\nContent-Type: %s\r\n"
			       "Content-Disposition: attachment; "
			       "filename=\"report.%s\"\r\n"
			       "Content-Transfer-Encoding: base64\r\n\r\n",
			       deliver_types[k].type, deliver_types[k].suffix);
		while (lines.s && krn_str_split(&lines, '\n', &line)) {
			krn_buf_add_str(buf, line);
			krn_buf_add_c(buf, "\r\n");
		}
	}
	return krn_db_commit(call->db, err);
}

static enum krn_err
deliver_mail_message(struct deliver_call *call, struct krn_error *err)
{
	const bool has_parts = krn_value_find(&call->message, "attachments");
	struct krn_buf buf;
	enum krn_err e;

	krn_buf_init(&buf, call->arena);
	deliver_mail_head(call, &buf);
	if (has_parts)
		krn_buf_add_c(&buf, "Content-Type: multipart/mixed; "
				    "boundary=\"" DELIVER_BOUNDARY "\"\r\n\r\n"
				    "--" DELIVER_BOUNDARY "\r\n");
	deliver_mail_text(call, &buf);
	if (has_parts) {
		if ((e = deliver_mail_attachments(call, &buf, err)))
			return e;
		krn_buf_add_c(&buf, "--" DELIVER_BOUNDARY "--\r\n");
	}
	return krn_buf_end(&buf, &call->request.body, err);
}

static enum krn_err
deliver_email(struct deliver_call *call, struct krn_error *err)
{
	const struct krn_options *o = call->options;
	struct krn_str from = krn_form_text(&call->config, "fromEmail");
	struct krn_str *to;
	size_t nr;
	const struct krn_value *items =
	    deliver_list(&call->config, "recipients", &nr);

	if (!from.len)
		from = o->smtp_from;
	if (!o->smtp_url.len || krn_str_find_char(from, '@') < 0)
		return krn_refuse(err, KRN_ERR_UNAVAILABLE,
				  "the operator has set no mail server, or "
				  "there is no sender");
	to = krn_arena_calloc(call->arena, nr + 1, sizeof(*to));
	if (!to)
		return krn_arena_fail(call->arena, err);
	for (size_t i = 0; i < nr; i++)
		to[i] = items[i].string;
	call->mail = (struct krn_http_mail){.from = from,
					    .recipients = to,
					    .recipients_nr = nr,
					    .user = o->smtp_user,
					    .password = o->smtp_password};
	call->request.mail = &call->mail;
	call->request.url = o->smtp_url;
	return deliver_mail_message(call, err);
}

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
