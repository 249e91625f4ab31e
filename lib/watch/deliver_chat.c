/*
 * A delivery to a channel of people: Slack and Teams, by their incoming
 * webhooks.
 *
 * Source: Slack, Block Kit; Microsoft, Adaptive Cards 1.4 for incoming
 * webhooks.
 */

#include "base/base.h"

#include "watch/deliver_private.h"

#include "base/json_out.h"
#include "watch/form.h"

/* Slack */

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

static void
deliver_slack_body(struct deliver_call *call, struct krn_json_out *out)
{
	const struct krn_str title = krn_form_text(&call->message, "title");
	const struct krn_str text = krn_form_text(&call->message, "text");

	krn_json_str(out, "text", deliver_slack_text(call->arena, title));
	krn_json_arr_open(out, "blocks");
	krn_json_obj_open(out, NULL);
	krn_json_c(out, "type", "header");
	krn_json_obj_open(out, "text");
	krn_json_c(out, "type", "plain_text");
	krn_json_str(out, "text", deliver_cut(title, 150));
	krn_json_close(out);
	krn_json_close(out);
	deliver_slack_section(
	    out, deliver_slack_text(call->arena, deliver_cut(text, 2000)));
	deliver_slack_section(out, deliver_slack_facts(call));
	krn_json_close(out);
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

static void
deliver_teams_body(struct deliver_call *call, struct krn_json_out *out)
{
	krn_json_c(out, "type", "message");
	krn_json_arr_open(out, "attachments");
	krn_json_obj_open(out, NULL);
	krn_json_c(out, "contentType",
		   "application/vnd.microsoft.card.adaptive");
	krn_json_obj_open(out, "content");
	krn_json_c(out, "$schema",
		   "http://adaptivecards.io/schemas/adaptive-card.json");
	krn_json_c(out, "type", "AdaptiveCard");
	krn_json_c(out, "version", "1.4");
	krn_json_arr_open(out, "body");
	deliver_card_text(out, krn_form_text(&call->message, "title"), true);
	deliver_card_text(out, krn_form_text(&call->message, "text"), false);
	deliver_card_facts(out, &call->message);
	krn_json_close(out);
	deliver_card_actions(out, &call->message);
	krn_json_close(out);
	krn_json_close(out);
	krn_json_close(out);
}

/* Both */

/* A JSON object, which `write` fills, to the channel's address. */
static enum krn_err
deliver_chat(struct deliver_call *call,
	     void (*write)(struct deliver_call *call, struct krn_json_out *out),
	     struct krn_error *err)
{
	struct krn_json_out out;
	struct krn_buf buf;

	call->request.url = krn_form_text(&call->config, "webhookUrl");
	krn_buf_init(&buf, call->arena);
	krn_json_init(&out, &buf);
	krn_json_obj_open(&out, NULL);
	write(call, &out);
	krn_json_close(&out);
	krn_json_end(&out);
	return deliver_body(call, &buf, err);
}

enum krn_err
deliver_slack(struct deliver_call *call, struct krn_error *err)
{
	return deliver_chat(call, deliver_slack_body, err);
}

enum krn_err
deliver_teams(struct deliver_call *call, struct krn_error *err)
{
	return deliver_chat(call, deliver_teams_body, err);
}
