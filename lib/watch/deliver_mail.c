/*
 * A delivery as a letter.
 *
 * Source: RFC 5322, 2045-2047 and 3834.
 */

#include "base/base.h"

#include "watch/deliver_private.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/json_out.h"
#include "watch/form.h"

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

enum krn_err
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
