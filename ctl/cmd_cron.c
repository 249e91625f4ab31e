/*
 * kaireonctl cron …: the calls of the timers, by hand.
 */

#include "base/base.h"

#include "base/json_in.h"
#include "ctl/ctl.h"
#include "egress/http.h"

/* As long as nginx waits for the cron pool, and the timers' units do. */
#define CRON_TIMEOUT_MS 600000
#define CRON_ANSWER_MAX ((size_t)64 << 20)

/* Show an answer; it is a failure unless ok is true. */
static enum krn_err
ctl_cron_answer(struct krn_ctl *ctl, struct krn_str text, struct krn_error *err)
{
	struct krn_value answer;
	enum krn_err e;

	if ((e = krn_json_parse(ctl->arena, text, KRN_JSON_DEPTH_MAX, &answer,
				err)))
		return e;
	const struct krn_value *ok = krn_value_find(&answer, "ok");

	printf("%.*s\n", KRN_STR_ARG(krn_str_trim(text)));
	if (ok && ok->type == KRN_VALUE_BOOL && ok->boolean)
		return KRN_OK;
	return krn_refuse(err, KRN_ERR_INTERNAL, "the answer is not ok");
}

enum krn_err
krn_cmd_cron_check(struct krn_ctl *ctl, struct krn_error *err)
{
	struct krn_buf buf;
	struct krn_str text;
	int c;
	enum krn_err e;

	krn_buf_init(&buf, ctl->arena);
	while ((c = getchar()) != EOF)
		krn_buf_add_char(&buf, (char)c);
	if ((e = krn_buf_end(&buf, &text, err)))
		return e;
	return ctl_cron_answer(ctl, text, err);
}

static bool
ctl_cron_is_job(struct krn_str job)
{
	for (size_t i = 0; i < job.len; i++)
		if (!(job.s[i] >= 'a' && job.s[i] <= 'z') && job.s[i] != '-')
			return false;
	return job.len > 0;
}

enum krn_err
krn_cmd_cron_run(struct krn_ctl *ctl, struct krn_error *err)
{
	const struct krn_options *o = ctl->options;
	const struct krn_str job = ctl->words_nr == 1 ? ctl->words[0]
						      : KRN_STR("");
	const bool is_tick = krn_str_eq_c(job, "tick");
	const struct krn_str secret = is_tick && o->cron_token.len
					  ? o->cron_token
					  : o->cron_secret;
	struct krn_http_answer answer;
	enum krn_err e;

	if (!ctl_cron_is_job(job))
		return krn_refuse(err, KRN_ERR_INVALID,
				  "cron run takes the name of one job");
	if (o->base_url.len == 0 || secret.len == 0)
		return krn_refuse(err, KRN_ERR_INVALID,
				  "BASE_URL and %s must be set",
				  is_tick ? "CRON_TOKEN" : "CRON_SECRET");
	const struct krn_str url = krn_str_printf(
	    ctl->arena, "%.*s%s%.*s", KRN_STR_ARG(o->base_url),
	    is_tick ? "/api/cron/" : "/api/v1/cron/", KRN_STR_ARG(job));
	const struct krn_str header = krn_str_printf(
	    ctl->arena, "%s: %.*s", is_tick ? "X-Cron-Token" : "X-Cron-Secret",
	    KRN_STR_ARG(secret));
	const char *const headers[] = {header.s, NULL};
	const struct krn_http_request request = {
	    .method = "POST",
	    .url = url,
	    .headers = headers,
	    .body = KRN_STR(""),
	    .ca_file = o->cacert,
	    .timeout_ms = CRON_TIMEOUT_MS,
	    .answer_max = CRON_ANSWER_MAX,
	    .guard = &krn_guard_operator,
	};

	if (!url.s || !header.s)
		return krn_arena_fail(ctl->arena, err);
	if ((e = krn_http_call(ctl->arena, &request, &answer, err)))
		return e;
	return ctl_cron_answer(ctl, answer.body, err);
}
