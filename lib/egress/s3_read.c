/*
 * Objects read in parts, and listed.
 */

#include "base/base.h"

#include "egress/s3.h"

#include "egress/s3_private.h"

/* Of an object in memory at once. */
#define READ_PART_BYTES ((size_t)8 * 1024 * 1024)

/* "bytes 0-8388607/20000000": how long the whole is; -1: it does not say. */
static int64_t
read_total(struct krn_str content_range)
{
	const ptrdiff_t slash = krn_str_find_char(content_range, '/');
	int64_t total;

	if (slash < 0 ||
	    krn_parse_int64(krn_str_from(content_range.s + slash + 1,
					 content_range.len - (size_t)slash - 1),
			    0, INT64_MAX - 1, &total, NULL))
		return -1;
	return total;
}

/* A reader's INVALID says what lies there; that we may not read it is another
 * matter. */
static enum krn_err
read_refused(enum krn_err e, struct krn_error *err)
{
	if (e != KRN_ERR_INVALID)
		return e;
	if (err)
		err->code = KRN_ERR_UNAVAILABLE;
	return KRN_ERR_UNAVAILABLE;
}

enum krn_err
krn_s3_read(const struct krn_options *options,
	    const struct krn_s3_object *object, krn_codec_fn fn, void *data,
	    struct krn_error *err)
{
	struct krn_arena *scratch = krn_arena_new(0);
	int64_t at = 0, total = -1;
	enum krn_err e = KRN_OK;

	if (!scratch)
		return krn_fail(err, KRN_ERR_UNAVAILABLE, "out of memory");
	while (!e && (total < 0 || at < total)) {
		char range[64];
		struct krn_http_answer answer;
		const struct s3_call call = {
		    .method = "GET",
		    .object = *object,
		    .header = range,
		    .wanted = "Content-Range",
		    .answer_max = READ_PART_BYTES,
		};

		krn_arena_reset(scratch);
		snprintf(range, sizeof(range), "Range: bytes=%lld-%lld",
			 (long long)at,
			 (long long)(at + (int64_t)READ_PART_BYTES - 1));
		if ((e = s3_request(scratch, options, &call, &answer, err))) {
			e = read_refused(e, err);
			break;
		}
		total = answer.wanted.s ? read_total(answer.wanted)
					: (int64_t)answer.body.len;
		at += (int64_t)answer.body.len;
		if (at > total || (answer.body.len == 0 && at < total))
			e = krn_refuse(err, KRN_ERR_UNAVAILABLE,
				       "S3 gave a part of an object that does "
				       "not fit");
		else
			e = fn(data, answer.body.s, answer.body.len, err);
	}
	krn_arena_free(scratch);
	return e;
}

/* One page of a listing; *token is the next one's, or "". */
static enum krn_err
read_list_page(struct krn_arena *scratch, const struct krn_options *options,
	       const struct krn_s3_object *folder, struct krn_str prefix,
	       struct krn_str after, struct krn_buf *token, krn_s3_list_fn fn,
	       void *data, struct krn_error *err)
{
	struct s3_call call = {.method = "GET",
			       .object.bucket = folder->bucket};
	struct krn_http_answer answer;
	struct krn_str rest, one, key, next;
	struct krn_buf query;
	enum krn_err e;

	call.object.key = KRN_STR("");
	krn_buf_init(&query, scratch);
	if (token->len) {
		krn_buf_add_c(&query, "continuation-token=");
		krn_buf_add_percent(&query,
				    krn_str_from(token->data, token->len), "");
		krn_buf_add_char(&query, '&');
	}
	krn_buf_add_c(&query, "list-type=2&prefix=");
	krn_buf_add_percent(&query, prefix, "");
	if (after.len) {
		krn_buf_add_c(&query, "&start-after=");
		krn_buf_add_percent(&query, prefix, "");
		krn_buf_add_percent(&query, after, "");
	}
	if ((e = krn_buf_end(&query, &call.query, err)) ||
	    (e = s3_request(scratch, options, &call, &answer, err)))
		return e;
	krn_buf_clear(token);
	rest = answer.body;
	if (s3_xml_next(&rest, "NextContinuationToken", &next))
		krn_buf_add_str(token, next);
	rest = answer.body;
	while (s3_xml_next(&rest, "Contents", &one)) {
		if (!s3_xml_next(&one, "Key", &key) ||
		    !krn_str_has_prefix(key, prefix))
			continue;
		if ((e = fn(
			 data,
			 krn_str_from(key.s + prefix.len, key.len - prefix.len),
			 err)))
			return e;
	}
	return token->failed ? krn_arena_fail(token->arena, err) : KRN_OK;
}

enum krn_err
krn_s3_list(const struct krn_options *options,
	    const struct krn_s3_object *folder, struct krn_str after,
	    krn_s3_list_fn fn, void *data, struct krn_error *err)
{
	struct krn_arena *scratch = krn_arena_new(0);
	struct krn_arena *kept = krn_arena_new(0);
	enum krn_err e = KRN_ERR_UNAVAILABLE;
	struct krn_buf token;

	if (!scratch || !kept) {
		krn_fail(err, KRN_ERR_UNAVAILABLE, "out of memory");
	} else {
		const struct krn_str prefix =
		    krn_str_printf(kept, "%.*s/", KRN_STR_ARG(folder->key));

		krn_buf_init(&token, kept);
		do {
			krn_arena_reset(scratch);
			e = prefix.s ? read_list_page(scratch, options, folder,
						      prefix, after, &token, fn,
						      data, err)
				     : krn_arena_fail(kept, err);
		} while (!e && token.len);
	}
	krn_arena_free(kept);
	krn_arena_free(scratch);
	return e;
}
