/*
 * Providers: their kinds, what a config of each must be, sealing.
 */

#include "base/base.h"

#include "watch/provider.h"

#include "base/crypto.h"
#include "base/json_in.h"
#include "egress/guard.h"

/* What stands where a secret is. */
#define PROVIDER_MASK "••••••••"

#define PROVIDER_URL_MAX 2000
#define PROVIDER_RECIPIENTS_MAX 50
#define PROVIDER_HEADERS_MAX 20

/* Source: RFC 5321, 4.5.3.1.3. */
#define PROVIDER_EMAIL_MAX 254

/* A config under judgement. */
struct provider_check {
	struct krn_object *object;
	struct krn_problems *problems;
	const struct krn_value *config;
	struct krn_json_out shown;
	struct krn_str summary;
};

/* Members */

static const struct krn_value *
provider_member(struct provider_check *check, const char *name, bool required)
{
	const struct krn_value *value = krn_value_find(check->config, name);

	if (value && value->type == KRN_VALUE_NULL)
		value = NULL;
	if (!value && required) {
		char field[64];

		snprintf(field, sizeof(field), "config.%s", name);
		krn_problem_add(check->problems, field, "is required");
	}
	return value;
}

/* The host of "https://host[:port]/…"; .s NULL: it is none. */
static struct krn_str
provider_host(struct krn_str url)
{
	const struct krn_str scheme = KRN_STR("https://");
	const struct krn_str none = {NULL, 0};
	size_t len = 0;

	if (!krn_str_has_prefix(url, scheme) || url.len > PROVIDER_URL_MAX)
		return none;
	for (size_t i = 0; i < url.len; i++)
		if ((unsigned char)url.s[i] <= ' ' ||
		    (unsigned char)url.s[i] >= 0x7f || url.s[i] == '\\')
			return none;
	url = krn_str_from(url.s + scheme.len, url.len - scheme.len);
	while (len < url.len && !strchr("/?#", url.s[len])) {
		if (url.s[len] == '@')
			return none;
		len++;
	}
	return len && url.s[0] != ':' ? krn_str_from(url.s, len) : none;
}

/* Is it an address that nothing could be sent to? */
static bool
provider_is_refused(const struct krn_options *options, struct krn_str host)
{
	const struct krn_guard guard = {options->egress_allow, false};
	const ptrdiff_t end = host.s[0] == '[' ? krn_str_find_char(host, ']')
					       : krn_str_find_char(host, ':');
	struct krn_address address;

	if (end > 0)
		host.len = (size_t)end;
	if (host.s[0] == '[')
		host = krn_str_from(host.s + 1, host.len - 1);
	return krn_address_parse(host, &address) &&
	       !krn_guard_permits(&guard, &address);
}

static void
provider_url(struct provider_check *check, const char *name)
{
	const struct krn_value *value = provider_member(check, name, true);
	struct krn_str host = {NULL, 0};
	char field[64];

	snprintf(field, sizeof(field), "config.%s", name);
	krn_json_c(&check->shown, name, PROVIDER_MASK);
	if (!value)
		return;
	if (value->type == KRN_VALUE_STRING)
		host = provider_host(value->string);
	if (!host.s)
		krn_problem_add(check->problems, field,
				"must be https://host[:port]/…, at most %d "
				"characters, without user and password",
				PROVIDER_URL_MAX);
	else if (provider_is_refused(check->object->options, host))
		krn_problem_add(check->problems, field,
				"the address is not permitted");
	else
		check->summary = host;
}

/* Webhook */

/* Source: RFC 9110, 5.6.2: token. */
static bool
provider_token_is(struct krn_str text)
{
	for (size_t i = 0; i < text.len; i++) {
		const char c = text.s[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		      (c >= '0' && c <= '9') ||
		      (c && strchr("!#$%&'*+-.^_`|~", c))))
			return false;
	}
	return text.len > 0 && text.len <= 100;
}

/* Headers that say what the delivery itself says. */
static bool
provider_header_is_ours(struct krn_str name)
{
	static const char *const ours[] = {
	    "connection",
	    "content-length",
	    "content-type",
	    "expect",
	    "host",
	    "idempotency-key",
	    "transfer-encoding",
	    "x-kaireon-signature",
	    "x-kaireon-event",
	};

	for (size_t i = 0; i < KRN_NR(ours); i++)
		if (krn_str_eq_nocase(name, krn_str_c(ours[i])))
			return true;
	return false;
}

static bool
provider_header_is(const struct krn_member *header)
{
	const struct krn_value *value = &header->value;

	if (!provider_token_is(header->name) ||
	    provider_header_is_ours(header->name) ||
	    value->type != KRN_VALUE_STRING || value->string.len > 1000 ||
	    krn_str_eq_c(value->string, PROVIDER_MASK))
		return false;
	for (size_t i = 0; i < value->string.len; i++)
		if ((unsigned char)value->string.s[i] < ' ' ||
		    value->string.s[i] == 0x7f)
			return false;
	return true;
}

static void
provider_headers(struct provider_check *check)
{
	const struct krn_value *headers =
	    provider_member(check, "headers", false);

	if (!headers)
		return;
	if (headers->type != KRN_VALUE_OBJECT ||
	    headers->object.nr > PROVIDER_HEADERS_MAX) {
		krn_problem_add(check->problems, "config.headers",
				"must be an object of at most %d headers",
				PROVIDER_HEADERS_MAX);
		return;
	}
	krn_json_obj_open(&check->shown, "headers");
	for (size_t i = 0; i < headers->object.nr; i++) {
		const struct krn_member *header = &headers->object.members[i];

		if (provider_header_is(header))
			krn_json_c(&check->shown, header->name.s,
				   PROVIDER_MASK);
		else
			krn_problem_add(check->problems, "config.headers",
					"\"%.60s\" is no header that may be "
					"added, or has no value but what "
					"stands for one in answers",
					header->name.s);
	}
	krn_json_close(&check->shown);
}

static void
provider_webhook(struct provider_check *check)
{
	const struct krn_value *secret =
	    provider_member(check, "secret", false);

	provider_url(check, "url");
	provider_headers(check);
	if (!secret)
		return;
	krn_json_c(&check->shown, "secret", PROVIDER_MASK);
	if (secret->type != KRN_VALUE_STRING || secret->string.len < 8 ||
	    secret->string.len > 256 ||
	    krn_str_eq_c(secret->string, PROVIDER_MASK))
		krn_problem_add(check->problems, "config.secret",
				"must be a text of 8 to 256 bytes, not what "
				"stands for one in answers");
}

static void
provider_chat(struct provider_check *check)
{
	provider_url(check, "webhookUrl");
}

/* E-mail: an addr-spec without quoted parts, as people have them. */
static bool
provider_email_is(const struct krn_value *value)
{
	const struct krn_str text =
	    value->type == KRN_VALUE_STRING ? value->string : KRN_STR("");
	const ptrdiff_t at = krn_str_find_char(text, '@');

	if (at <= 0 || (size_t)at + 1 >= text.len ||
	    text.len > PROVIDER_EMAIL_MAX || text.s[0] == '-')
		return false;
	for (size_t i = 0; i < text.len; i++) {
		const char c = text.s[i];

		if (c <= ' ' || c >= 0x7f || strchr("()<>[]:;,\\\"", c) ||
		    (c == '@' && i != (size_t)at))
			return false;
	}
	return true;
}

static void
provider_address(struct provider_check *check, const char *name)
{
	const struct krn_value *value = provider_member(check, name, false);
	char field[64];

	if (!value)
		return;
	snprintf(field, sizeof(field), "config.%s", name);
	if (provider_email_is(value))
		krn_json_value(&check->shown, name, value);
	else
		krn_problem_add(check->problems, field,
				"must be an e-mail address");
}

static void
provider_email(struct provider_check *check)
{
	const struct krn_value *to = provider_member(check, "recipients", true);

	provider_address(check, "fromEmail");
	provider_address(check, "replyTo");
	if (!to)
		return;
	if (to->type != KRN_VALUE_ARRAY || to->array.nr == 0 ||
	    to->array.nr > PROVIDER_RECIPIENTS_MAX) {
		krn_problem_add(check->problems, "config.recipients",
				"must be a list of 1 to %d e-mail addresses",
				PROVIDER_RECIPIENTS_MAX);
		return;
	}
	for (size_t i = 0; i < to->array.nr; i++)
		if (!provider_email_is(&to->array.items[i]))
			krn_problem_add(check->problems, "config.recipients",
					"[%zu] must be an e-mail address", i);
	krn_json_value(&check->shown, "recipients", to);
	check->summary =
	    krn_str_printf(check->object->arena, "%zu recipient%s",
			   to->array.nr, to->array.nr == 1 ? "" : "s");
}

/* Kinds */

static const struct {
	const char *kind;
	const char *const *members;
	void (*check)(struct provider_check *check);
} provider_kinds[] = {
    {"slack", (const char *const[]){"webhookUrl", NULL}, provider_chat},
    {"teams", (const char *const[]){"webhookUrl", NULL}, provider_chat},
    {"webhook", (const char *const[]){"url", "secret", "headers", NULL},
     provider_webhook},
    {"ops_email",
     (const char *const[]){"fromEmail", "recipients", "replyTo", NULL},
     provider_email},
};

static void
provider_judge(struct provider_check *check)
{
	const struct krn_str kind =
	    krn_form_text(&check->object->value, "kind");
	size_t k = 0;

	while (!krn_str_eq_c(kind, provider_kinds[k].kind))
		k++;
	if (check->config->type != KRN_VALUE_OBJECT) {
		krn_problem_add(check->problems, "config", "must be an object");
		return;
	}
	for (size_t i = 0; i < check->config->object.nr; i++) {
		const struct krn_str name =
		    check->config->object.members[i].name;

		if (!krn_form_choice_is(provider_kinds[k].members, name))
			krn_problem_add(check->problems, "config",
					"unknown field \"%.60s\"", name.s);
	}
	provider_kinds[k].check(check);
}

/* Sealing */

static struct krn_str
provider_context(struct krn_arena *arena, struct krn_str tenant_id,
		 struct krn_str id)
{
	return krn_str_printf(arena, "provider/%.*s/%.*s",
			      KRN_STR_ARG(tenant_id), KRN_STR_ARG(id));
}

static enum krn_err
provider_seal(struct krn_object *object, const struct krn_value *config,
	      struct krn_param *ret, struct krn_error *err)
{
	const struct krn_str context = provider_context(
	    object->arena, object->caller->tenant_id, object->id);
	struct krn_str text, sealed;
	enum krn_err e;

	if (!object->options->connector_encryption_key.len)
		return krn_refuse(err, KRN_ERR_UNAVAILABLE,
				  "the operator has set no key to encrypt "
				  "configurations with");
	if (!context.s)
		return krn_arena_fail(object->arena, err);
	if ((e = krn_form_json(object->arena, config, &text, err)) ||
	    (e = krn_seal(object->arena,
			  object->options->connector_encryption_key, context,
			  text, &sealed, err)))
		return e;
	*ret = krn_param_bytes(object->arena, (const unsigned char *)sealed.s,
			       sealed.len);
	return ret->value ? KRN_OK : krn_arena_fail(object->arena, err);
}

/* A digit of lower-case hex, as PostgreSQL writes it. */
static unsigned
provider_hex(char c)
{
	return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

enum krn_err
krn_provider_config(struct krn_arena *arena, const struct krn_options *options,
		    struct krn_str tenant_id, struct krn_str id,
		    struct krn_str sealed_hex, struct krn_value *ret,
		    struct krn_error *err)
{
	const struct krn_str context = provider_context(arena, tenant_id, id);
	char *bytes = krn_arena_alloc(arena, sealed_hex.len / 2 + 1);
	struct krn_str text;
	enum krn_err e;

	if (!context.s || !bytes)
		return krn_arena_fail(arena, err);
	for (size_t i = 0; i + 1 < sealed_hex.len; i += 2)
		bytes[i / 2] = (char)(provider_hex(sealed_hex.s[i]) * 16 +
				      provider_hex(sealed_hex.s[i + 1]));
	const struct krn_str sealed = krn_str_from(bytes, sealed_hex.len / 2);

	e = krn_unseal(arena, options->connector_encryption_key, context,
		       sealed, &text, err);
	if (e == KRN_ERR_UNAVAILABLE &&
	    options->connector_encryption_key_previous.len)
		e = krn_unseal(arena,
			       options->connector_encryption_key_previous,
			       context, sealed, &text, err);
	if (e)
		return e;
	return krn_json_parse(arena, text, KRN_JSON_DEPTH_MAX, ret, err);
}

/* The object with what may be seen in place of its config. */
static enum krn_err
provider_show(struct krn_object *object, const struct krn_value *shown,
	      struct krn_str summary, struct krn_error *err)
{
	struct krn_member *members = krn_arena_calloc(
	    object->arena, KRN_PROVIDER__MAX + 1, sizeof(*members));

	if (!members)
		return krn_arena_fail(object->arena, err);
	memcpy(members, object->value.object.members,
	       KRN_PROVIDER__MAX * sizeof(*members));
	members[KRN_PROVIDER_CONFIG].value = *shown;
	members[KRN_PROVIDER__MAX] = (struct krn_member){
	    KRN_STR("configSummary"), krn_value_str(summary)};
	object->value.object.members = members;
	object->value.object.nr = KRN_PROVIDER__MAX + 1;
	return KRN_OK;
}

static enum krn_err
provider_check(struct krn_object *object, struct krn_param *ret_extra,
	       struct krn_error *err)
{
	struct provider_check check = {
	    .object = object,
	    .problems = object->problems,
	    .config = krn_value_find(&object->value, "config"),
	    .summary = KRN_STR(""),
	};
	struct krn_value shown;
	struct krn_buf buf;
	struct krn_str text;
	enum krn_err e;

	if (object->stored &&
	    !krn_str_eq(krn_form_text(object->stored, "kind"),
			krn_form_text(&object->value, "kind")))
		krn_problem_add(check.problems, "kind", "cannot be changed");
	*ret_extra = krn_param_null();
	if (object->stored && !object->given[KRN_PROVIDER_CONFIG])
		return provider_show(
		    object, check.config,
		    krn_form_text(object->stored, "configSummary"), err);
	krn_buf_init(&buf, object->arena);
	krn_json_init(&check.shown, &buf);
	krn_json_obj_open(&check.shown, NULL);
	provider_judge(&check);
	krn_json_close(&check.shown);
	krn_json_end(&check.shown);
	if (check.problems->nr)
		return KRN_OK;
	if ((e = krn_buf_end(&buf, &text, err)) ||
	    (e = provider_seal(object, check.config, ret_extra, err)) ||
	    (e = krn_json_parse(object->arena, text, KRN_JSON_DEPTH_MAX, &shown,
				err)))
		return e;
	return provider_show(object, &shown, check.summary, err);
}

static const char *const provider_kind_names[] = {"slack", "teams", "webhook",
						  "ops_email", NULL};

static const struct krn_form_field provider_fields[] = {
    [KRN_PROVIDER_KIND] = {.name = "kind",
			   .type = KRN_FORM_CHOICE,
			   .required = true,
			   .choices = provider_kind_names},
    [KRN_PROVIDER_NAME] = {.name = "name",
			   .type = KRN_FORM_TEXT,
			   .required = true,
			   .min = 1,
			   .max = 120},
    [KRN_PROVIDER_ENABLED] = {.name = "enabled",
			      .type = KRN_FORM_BOOL,
			      .fallback = "true"},
    [KRN_PROVIDER_CONFIG] = {.name = "config",
			     .type = KRN_FORM_VALUE,
			     .required = true},
};

const struct krn_object_kind krn_provider_kind = {
    .noun = "notification provider",
    .prefix = "np",
    .entity = "notification_provider",
    .fields = provider_fields,
    .nr = KRN_NR(provider_fields),
    .insert = KRN_STMT_provider_insert,
    .load = KRN_STMT_provider_load,
    .update = KRN_STMT_provider_update,
    .remove = KRN_STMT_provider_delete,
    .check = provider_check,
};
