/*
 * Requests to S3: where an object is, what is asked, how an answer is judged.
 */

#include "base/base.h"

#include "egress/s3.h"

#include "base/crypto.h"
#include "base/id.h"
#include "egress/s3_private.h"

/* Attempts at one request, and the pause before the second. */
#define S3_TRIES 3
#define S3_PAUSE_MS 500

/* Answers in XML; a listing has at most a thousand names of a kilobyte. */
#define S3_ANSWER_MAX ((size_t)4 * 1024 * 1024)

/* Source: S3, "object key naming guidelines": less what we add ourselves. */
#define S3_KEY_BYTES_MAX 900

bool
krn_s3_is_configured(const struct krn_options *options)
{
	return options->aws_access_key_id.len &&
	       options->aws_secret_access_key.len;
}

struct krn_str
s3_region(const struct krn_options *options)
{
	return options->aws_region.len ? options->aws_region
				       : KRN_STR("us-east-1");
}

/* Paths */

/* Source: S3, "general purpose bucket naming rules". */
static bool
s3_bucket_is(struct krn_str bucket)
{
	if (bucket.len < 3 || bucket.len > 63)
		return false;
	for (size_t i = 0; i < bucket.len; i++) {
		const char c = bucket.s[i];
		const bool inner =
		    i > 0 && i + 1 < bucket.len &&
		    (c == '-' || (c == '.' && bucket.s[i - 1] != '.'));

		if (!inner && !(c >= 'a' && c <= 'z') &&
		    !(c >= '0' && c <= '9'))
			return false;
	}
	return true;
}

static bool
s3_key_char_is(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || (c && strchr("!_.*()=-", c));
}

static bool
s3_key_is(struct krn_str key)
{
	struct krn_str part;

	if (key.len > S3_KEY_BYTES_MAX)
		return false;
	while (key.len && krn_str_split(&key, '/', &part)) {
		if (part.len == 0 || krn_str_eq_c(part, ".") ||
		    krn_str_eq_c(part, ".."))
			return false;
		for (size_t i = 0; i < part.len; i++)
			if (!s3_key_char_is(part.s[i]))
				return false;
	}
	return true;
}

enum krn_err
krn_s3_path_parse(struct krn_str path, struct krn_s3_object *ret,
		  struct krn_error *err)
{
	const struct krn_str scheme = KRN_STR("s3://");

	if (krn_str_has_prefix(path, scheme))
		path = krn_str_from(path.s + scheme.len, path.len - scheme.len);
	const ptrdiff_t slash = krn_str_find_char(path, '/');
	const size_t bucket_len = slash < 0 ? path.len : (size_t)slash;
	const struct krn_s3_object object = {
	    .bucket = krn_str_from(path.s, bucket_len),
	    .key = slash < 0 ? KRN_STR("")
			     : krn_str_from(path.s + bucket_len + 1,
					    path.len - bucket_len - 1),
	};

	if (!s3_bucket_is(object.bucket))
		return krn_refuse(err, KRN_ERR_INVALID,
				  "must begin with the name of a bucket: 3 to "
				  "63 of a-z, 0-9, - and .");
	if (!s3_key_is(object.key))
		return krn_refuse(err, KRN_ERR_INVALID,
				  "must be bucket/prefix: parts of A-Z, a-z, "
				  "0-9 and !_.*()=- without . and .., at most "
				  "%d characters",
				  S3_KEY_BYTES_MAX);
	*ret = object;
	return KRN_OK;
}

/* Does `path` begin with `allowed`, "{tenant}" being the tenant's id? */
static bool
s3_path_is_below(struct krn_str path, struct krn_str allowed,
		 struct krn_str tenant_id)
{
	const struct krn_str word = KRN_STR("{tenant}");

	while (allowed.len) {
		const bool is_word = krn_str_has_prefix(allowed, word);
		const struct krn_str want =
		    is_word ? tenant_id : krn_str_from(allowed.s, 1);
		const size_t used = is_word ? word.len : 1;

		if (!krn_str_has_prefix(path, want))
			return false;
		path = krn_str_from(path.s + want.len, path.len - want.len);
		allowed = krn_str_from(allowed.s + used, allowed.len - used);
	}
	return path.len == 0 || path.s[0] == '/';
}

enum krn_err
krn_s3_campaign_path_check(const struct krn_options *options,
			   struct krn_str tenant_id, struct krn_str path,
			   struct krn_error *err)
{
	struct krn_str rest = options->s3_campaign_paths;
	struct krn_s3_object object;
	struct krn_str allowed;
	enum krn_err e;

	if (!krn_s3_is_configured(options) || !rest.len)
		return krn_refuse(err, KRN_ERR_INVALID,
				  "S3 is not set up for campaigns here");
	if ((e = krn_s3_path_parse(path, &object, err)))
		return e;
	/* the path as it is compared: without scheme */
	path = krn_str_from(object.bucket.s,
			    (size_t)(path.s + path.len - object.bucket.s));
	while (krn_str_split(&rest, ',', &allowed)) {
		allowed = krn_str_trim(allowed);
		while (allowed.len && allowed.s[allowed.len - 1] == '/')
			allowed.len--;
		if (allowed.len && s3_path_is_below(path, allowed, tenant_id))
			return KRN_OK;
	}
	return krn_refuse(err, KRN_ERR_INVALID,
			  "is not below a path that campaigns may write to");
}

/* Addresses */

/* Without the port that the scheme has anyway: no client sends it as Host. */
static struct krn_str
s3_host(struct krn_str host, const char *scheme)
{
	const struct krn_str usual =
	    krn_str_c(strcmp(scheme, "https://") == 0 ? ":443" : ":80");

	if (krn_str_has_suffix(host, usual))
		host.len -= usual.len;
	return host;
}

static bool
s3_is_virtual(const struct krn_options *options, struct krn_str host,
	      struct krn_str bucket)
{
	if (!krn_str_eq_c(options->s3_addressing, "auto"))
		return krn_str_eq_c(options->s3_addressing, "virtual");
	/* no certificate covers a name with more dots */
	return krn_str_has_suffix(host, KRN_STR(".amazonaws.com")) &&
	       krn_str_find_char(bucket, '.') < 0;
}

enum krn_err
s3_place(struct krn_arena *arena, const struct krn_options *options,
	 const struct krn_s3_object *object, struct s3_place *ret,
	 struct krn_error *err)
{
	struct krn_str host = options->s3_endpoint;
	struct krn_buf path;

	ret->scheme = krn_str_has_prefix(host, KRN_STR("http://")) ? "http://"
								   : "https://";
	if (host.len) {
		const size_t scheme_len = strlen(ret->scheme);

		host = krn_str_from(host.s + scheme_len, host.len - scheme_len);
	} else {
		host = krn_str_printf(arena, "s3.%.*s.amazonaws.com",
				      KRN_STR_ARG(s3_region(options)));
		if (!host.s)
			return krn_arena_fail(arena, err);
	}
	host = s3_host(host, ret->scheme);
	const bool is_virtual = s3_is_virtual(options, host, object->bucket);

	ret->host = is_virtual ? krn_str_printf(arena, "%.*s.%.*s",
						KRN_STR_ARG(object->bucket),
						KRN_STR_ARG(host))
			       : host;
	krn_buf_init(&path, arena);
	krn_buf_add_char(&path, '/');
	if (!is_virtual) {
		krn_buf_add_str(&path, object->bucket);
		if (object->key.len)
			krn_buf_add_char(&path, '/');
	}
	krn_buf_add_percent(&path, object->key, "/");
	if (!ret->host.s)
		return krn_arena_fail(arena, err);
	return krn_buf_end(&path, &ret->path, err);
}

/* Answers */

bool
s3_xml_next(struct krn_str *rest, const char *name, struct krn_str *ret)
{
	char open[64], close[64];
	const int open_len = snprintf(open, sizeof(open), "<%s>", name);
	const int close_len = snprintf(close, sizeof(close), "</%s>", name);
	const char *begin = memmem(rest->s, rest->len, open, (size_t)open_len);

	if (!begin)
		return false;
	begin += open_len;
	const size_t left = (size_t)(rest->s + rest->len - begin);
	const char *end = memmem(begin, left, close, (size_t)close_len);

	if (!end)
		return false;
	*ret = krn_str_from(begin, (size_t)(end - begin));
	*rest = krn_str_from(end + close_len,
			     left - (size_t)(end + close_len - begin));
	return true;
}

/* The error code of an answer, of letters only; "" when it has none. */
static void
s3_code(struct krn_str body, char ret[64])
{
	struct krn_str rest = body, code;
	size_t len = 0;

	if (s3_xml_next(&rest, "Code", &code))
		for (size_t i = 0; i < code.len && len < 63; i++)
			if (s3_key_char_is(code.s[i]))
				ret[len++] = code.s[i];
	ret[len] = '\0';
}

/* What passes when the same is asked again; when all is done again. */
static bool
s3_is_listed(const char *code, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(code, *list) == 0)
			return true;
	return false;
}

static enum krn_err
s3_judge(const struct s3_call *call, const struct krn_http_answer *answer,
	 bool *ret_again, struct krn_error *err)
{
	static const char *const again[] = {"RequestTimeout", "IncompleteBody",
					    "BadDigest",      "InternalError",
					    "SlowDown",       NULL};
	/* somebody else aborted the upload: it is begun anew */
	static const char *const anew[] = {"NoSuchUpload", "InvalidPart",
					   "OperationAborted", NULL};
	static const char *const lacking[] = {"NoSuchUpload", "NoSuchKey",
					      "NoSuchBucket", NULL};
	/* what an object holds is no answer of the service */
	const bool is_error =
	    (!call->answer_max || answer->status / 100 != 2) &&
	    memmem(answer->body.s, answer->body.len, "<Error>", 7) != NULL;
	char code[64];

	*ret_again = false;
	/* a completion may fail after its 200 was sent */
	if (answer->status / 100 == 2 && !is_error)
		return KRN_OK;
	s3_code(answer->body, code);
	if (call->may_lack && s3_is_listed(code, lacking))
		return KRN_OK;
	*ret_again = answer->status >= 500 || answer->status == 429 ||
		     s3_is_listed(code, again);
	enum krn_err code_of = KRN_ERR_INVALID;

	if (*ret_again || s3_is_listed(code, anew))
		code_of = KRN_ERR_UNAVAILABLE;
	else if (strcmp(code, "NoSuchKey") == 0)
		code_of = KRN_ERR_NOTFOUND;
	return krn_refuse(err, code_of, "S3 answered %ld%s%s for %.*s/%.*s",
			  answer->status, code[0] ? " " : "", code,
			  KRN_STR_ARG(call->object.bucket),
			  KRN_STR_ARG(call->object.key));
}

/* Requests */

/* Doubled for each try, and up to half as long again. */
static void
s3_pause(int tried)
{
	uint32_t random;
	int64_t ms = (int64_t)S3_PAUSE_MS << tried;

	krn_random(&random, sizeof(random));
	ms += (int64_t)random % (ms / 2);
	const struct timespec pause = {ms / 1000, ms % 1000 * 1000000};

	nanosleep(&pause, NULL);
}

static enum krn_err
s3_try(struct krn_arena *arena, const struct krn_options *options,
       const struct krn_http_request *request, const struct s3_call *call,
       struct krn_http_answer *ret, bool *ret_again, struct krn_error *err)
{
	struct krn_error why = {.code = KRN_OK};
	const enum krn_err e = krn_http_call(arena, request, ret, &why);

	if (!e)
		return s3_judge(call, ret, ret_again, err);
	if (e == KRN_ERR_CONFLICT)
		return krn_fail(err, e, "S3, %s: %s", call->method, why.detail);
	*ret_again = e == KRN_ERR_UNAVAILABLE;
	/* the library's words are the log's */
	krn_fail(err, e == KRN_ERR_INVALID ? e : KRN_ERR_UNAVAILABLE,
		 "S3, %s: %s", call->method, why.detail);
	if (err)
		snprintf(err->message, sizeof(err->message),
			 "S3 gave no usable answer within %lld s",
			 (long long)options->s3_timeout_seconds);
	return e == KRN_ERR_INVALID ? e : KRN_ERR_UNAVAILABLE;
}

/* "Name: value" of what each request has. */
static enum krn_err
s3_headers(struct krn_arena *arena, const struct krn_options *options,
	   const struct s3_call *call, const char *ret[5],
	   struct krn_error *err)
{
	char sha256[KRN_SHA256_HEX_BYTES];
	size_t nr = 0;

	krn_sha256_hex(call->body.s, call->body.len, sha256);
	ret[nr++] = krn_str_printf(arena, "x-amz-content-sha256: %s", sha256).s;
	ret[nr++] = krn_str_printf(arena, "Content-Type: %s",
				   call->content_type ? call->content_type
						      : "application/xml")
			.s;
	if (options->aws_session_token.len)
		ret[nr++] =
		    krn_str_printf(arena, "x-amz-security-token: %.*s",
				   KRN_STR_ARG(options->aws_session_token))
			.s;
	for (size_t i = 0; i < nr; i++)
		if (!ret[i])
			return krn_arena_fail(arena, err);
	if (call->header)
		ret[nr++] = call->header;
	ret[nr] = NULL;
	return KRN_OK;
}

enum krn_err
s3_request(struct krn_arena *arena, const struct krn_options *options,
	   const struct s3_call *call, struct krn_http_answer *ret,
	   struct krn_error *err)
{
	const struct krn_http_signer signer = {s3_region(options),
					       options->aws_access_key_id,
					       options->aws_secret_access_key};
	struct s3_place place;
	const char *headers[5];
	bool again = false;
	enum krn_err e;

	if (!krn_s3_is_configured(options))
		return krn_refuse(err, KRN_ERR_INVALID,
				  "S3 is not set up here");
	if ((e = s3_place(arena, options, &call->object, &place, err)) ||
	    (e = s3_headers(arena, options, call, headers, err)))
		return e;
	const struct krn_http_request request = {
	    .method = call->method,
	    .url = krn_str_printf(
		arena, "%s%.*s%.*s%s%.*s", place.scheme,
		KRN_STR_ARG(place.host), KRN_STR_ARG(place.path),
		call->query.len ? "?" : "", KRN_STR_ARG(call->query)),
	    .headers = headers,
	    .body = call->body,
	    .ca_file = options->s3_cacert,
	    .timeout_ms = options->s3_timeout_seconds * 1000,
	    .answer_max = call->answer_max ? call->answer_max : S3_ANSWER_MAX,
	    .guard = &krn_guard_operator,
	    .signer = &signer,
	    .wanted = call->wanted,
	    .tick = call->tick,
	    .tick_data = call->tick_data,
	};

	if (!request.url.s)
		return krn_arena_fail(arena, err);
	for (int tried = 0;; tried++) {
		/* before each, so that nothing is begun in vain */
		if (call->tick && !call->tick(call->tick_data))
			return krn_fail(err, KRN_ERR_CONFLICT,
					"S3, %s: nobody wants it any more",
					call->method);
		again = false;
		e = s3_try(arena, options, &request, call, ret, &again, err);
		if (!e || !again ||
		    tried + 1 >= (call->tries ? call->tries : S3_TRIES))
			return e;
		s3_pause(tried);
	}
}
