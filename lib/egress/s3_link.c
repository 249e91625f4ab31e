/*
 * Links to objects: AWS signature version 4 in query parameters.
 */

#include "base/base.h"

#include "egress/s3.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "egress/s3_private.h"

/* 20260330T020000Z: its first eight characters are the day. */
#define LINK_DAY_CHARS 8

static void
link_time(int64_t us, char ret_text[64])
{
	const struct krn_civil c = krn_civil_from_us(us);

	snprintf(ret_text, 64, "%04d%02d%02dT%02d%02d%02dZ", c.year, c.month,
		 c.day, c.hour, c.minute, c.second);
}

/* A key for this day, region and service. */
static void
link_key(struct krn_str seed, struct krn_str day, struct krn_str region,
	 unsigned char ret_key[KRN_SHA256_BYTES])
{
	const struct krn_str words[] = {day, region, KRN_STR("s3"),
					KRN_STR("aws4_request")};

	for (size_t i = 0; i < KRN_NR(words); i++) {
		krn_hmac_sha256(seed, words[i], ret_key);
		seed = krn_str_from((const char *)ret_key, KRN_SHA256_BYTES);
	}
}

/* What is signed: names in byte order, values encoded. */
static enum krn_err
link_query(struct krn_arena *arena, const struct krn_options *options,
	   struct krn_str scope, const char *time, int64_t seconds,
	   struct krn_str disposition, struct krn_str *ret,
	   struct krn_error *err)
{
	struct krn_buf query;

	krn_buf_init(&query, arena);
	krn_buf_add_c(&query,
		      "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=");
	krn_buf_add_percent(&query, options->aws_access_key_id, "");
	krn_buf_add_c(&query, "%2F");
	krn_buf_add_percent(&query, scope, "");
	krn_buf_printf(&query, "&X-Amz-Date=%s&X-Amz-Expires=%lld", time,
		       (long long)seconds);
	if (options->aws_session_token.len) {
		krn_buf_add_c(&query, "&X-Amz-Security-Token=");
		krn_buf_add_percent(&query, options->aws_session_token, "");
	}
	krn_buf_add_c(&query, "&X-Amz-SignedHeaders=host");
	if (disposition.len) {
		krn_buf_add_c(&query, "&response-content-disposition=");
		krn_buf_add_percent(&query, disposition, "");
	}
	return krn_buf_end(&query, ret, err);
}

enum krn_err
krn_s3_link(struct krn_arena *arena, const struct krn_options *options,
	    const struct krn_s3_object *object, int64_t now_us, int64_t seconds,
	    struct krn_str disposition, struct krn_str *ret,
	    struct krn_error *err)
{
	char time[64], digest[KRN_SHA256_HEX_BYTES],
	    signature[KRN_SHA256_HEX_BYTES];
	unsigned char key[KRN_SHA256_BYTES], mac[KRN_SHA256_BYTES];
	struct s3_place place;
	struct krn_str query;
	enum krn_err e;

	if (!krn_s3_is_configured(options))
		return krn_refuse(err, KRN_ERR_INVALID,
				  "S3 is not set up here");
	link_time(now_us, time);
	const struct krn_str region = s3_region(options);
	const struct krn_str scope =
	    krn_str_printf(arena, "%.*s/%.*s/s3/aws4_request", LINK_DAY_CHARS,
			   time, KRN_STR_ARG(region));
	const struct krn_str seed = krn_str_printf(
	    arena, "AWS4%.*s", KRN_STR_ARG(options->aws_secret_access_key));

	if (!scope.s || !seed.s)
		return krn_arena_fail(arena, err);
	if ((e = s3_place(arena, options, object, &place, err)) ||
	    (e = link_query(arena, options, scope, time, seconds, disposition,
			    &query, err)))
		return e;
	const struct krn_str request = krn_str_printf(
	    arena, "GET\n%.*s\n%.*s\nhost:%.*s\n\nhost\nUNSIGNED-PAYLOAD",
	    KRN_STR_ARG(place.path), KRN_STR_ARG(query),
	    KRN_STR_ARG(place.host));

	if (!request.s)
		return krn_arena_fail(arena, err);
	krn_sha256_hex(request.s, request.len, digest);
	const struct krn_str message =
	    krn_str_printf(arena, "AWS4-HMAC-SHA256\n%s\n%.*s\n%s", time,
			   KRN_STR_ARG(scope), digest);

	if (!message.s)
		return krn_arena_fail(arena, err);
	link_key(seed, krn_str_from(time, LINK_DAY_CHARS), region, key);
	krn_hmac_sha256(krn_str_from((const char *)key, sizeof(key)), message,
			mac);
	krn_format_hex(mac, sizeof(mac), signature);
	*ret = krn_str_printf(arena, "%s%.*s%.*s?%.*s&X-Amz-Signature=%s",
			      place.scheme, KRN_STR_ARG(place.host),
			      KRN_STR_ARG(place.path), KRN_STR_ARG(query),
			      signature);
	return ret->s ? KRN_OK : krn_arena_fail(arena, err);
}
