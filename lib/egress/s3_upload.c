/*
 * Uploads to S3: at once when small, else in parts.
 */

#include "base/base.h"

#include "egress/s3.h"

#include "egress/s3_private.h"

/* At least 5 MiB each but the last. Source: S3, "multipart upload limits". */
#define UPLOAD_PART_BYTES ((size_t)8 * 1024 * 1024)
#define UPLOAD_PARTS_MAX 10000

struct krn_s3_upload {
	const struct krn_options *options;
	struct krn_s3_object object;
	const char *content_type;
	struct krn_arena *scratch; /* of one request */
	char *part;                /* the one that is being filled */
	size_t part_len;
	struct krn_str id;    /* .s NULL: no part was sent yet */
	struct krn_buf parts; /* sent: XML for the completion */
	int parts_nr;
	struct krn_arena *arena;
	bool published;
	bool (*tick)(void *data);
	void *tick_data;
};

static enum krn_err
upload_request(struct krn_s3_upload *upload, struct s3_call *call,
	       struct krn_http_answer *ret, struct krn_error *err)
{
	call->object = upload->object;
	call->tick = upload->tick;
	call->tick_data = upload->tick_data;
	return s3_request(upload->scratch, upload->options, call, ret, err);
}

static struct krn_str
upload_query(struct krn_s3_upload *upload, struct krn_str id, int part)
{
	struct krn_buf query;
	struct krn_str text;

	krn_buf_init(&query, upload->scratch);
	if (part)
		krn_buf_printf(&query, "partNumber=%d&", part);
	krn_buf_add_c(&query, "uploadId=");
	krn_buf_add_percent(&query, id, "");
	return krn_buf_end(&query, &text, NULL) ? krn_str_from(NULL, 0) : text;
}

static enum krn_err
upload_abort(struct krn_s3_upload *upload, struct krn_str id,
	     struct krn_error *err)
{
	struct s3_call call = {.method = "DELETE",
			       .query = upload_query(upload, id, 0),
			       .tries = 1,
			       .may_lack = true};
	struct krn_http_answer answer;

	return call.query.s ? upload_request(upload, &call, &answer, err)
			    : krn_arena_fail(upload->scratch, err);
}

static void
upload_release(void *data)
{
	struct krn_s3_upload *upload = data;

	/* the database that it would keep alive may be gone */
	upload->tick = NULL;
	if (upload->id.s && !upload->published) {
		krn_arena_reset(upload->scratch);
		/* S3's own rules remove what stays */
		(void)!upload_abort(upload, upload->id, NULL);
	}
	krn_arena_free(upload->scratch);
}

enum krn_err
krn_s3_upload_begin(struct krn_arena *arena, const struct krn_options *options,
		    const struct krn_s3_object *object,
		    const char *content_type, struct krn_s3_upload **ret,
		    struct krn_error *err)
{
	struct krn_s3_upload *upload =
	    krn_arena_make(arena, struct krn_s3_upload);
	enum krn_err e;

	if (!upload)
		return krn_arena_fail(arena, err);
	upload->options = options;
	upload->object.bucket = krn_str_dup(arena, object->bucket);
	upload->object.key = krn_str_dup(arena, object->key);
	upload->content_type = krn_str_cstr(arena, krn_str_c(content_type));
	upload->part = krn_arena_alloc(arena, UPLOAD_PART_BYTES);
	upload->arena = arena;
	krn_buf_init(&upload->parts, arena);
	if (!upload->object.bucket.s || !upload->object.key.s ||
	    !upload->content_type || !upload->part)
		return krn_arena_fail(arena, err);
	upload->scratch = krn_arena_new(0);
	if (!upload->scratch)
		return krn_fail(err, KRN_ERR_UNAVAILABLE, "out of memory");
	if ((e = krn_arena_defer(arena, upload_release, upload, err)))
		return e;
	*ret = upload;
	return KRN_OK;
}

void
krn_s3_upload_set_tick(struct krn_s3_upload *upload, bool (*tick)(void *data),
		       void *data)
{
	upload->tick = tick;
	upload->tick_data = data;
}

/* A key that may not, and a server that cannot: it is left to the bucket's
 * rules. */
static enum krn_err
upload_left(enum krn_err e)
{
	return e == KRN_ERR_INVALID ? KRN_OK : e;
}

/* Abort what attempts that were killed left of this object. */
static enum krn_err
upload_clear(struct krn_s3_upload *upload, int tries, struct krn_error *err)
{
	struct s3_call call = {.method = "GET",
			       .tries = tries,
			       .tick = upload->tick,
			       .tick_data = upload->tick_data};
	struct krn_s3_object bucket = {upload->object.bucket, KRN_STR("")};
	struct krn_http_answer answer;
	struct krn_str rest, one, key, id;
	struct krn_buf query;
	enum krn_err e;

	krn_buf_init(&query, upload->scratch);
	krn_buf_add_c(&query, "prefix=");
	krn_buf_add_percent(&query, upload->object.key, "");
	krn_buf_add_c(&query, "&uploads=");
	if ((e = krn_buf_end(&query, &call.query, err)))
		return e;
	call.object = bucket;
	e = s3_request(upload->scratch, upload->options, &call, &answer, err);
	if (e)
		return upload_left(e);
	rest = answer.body;
	while (s3_xml_next(&rest, "Upload", &one)) {
		struct krn_str for_key = one, for_id = one;

		if (s3_xml_next(&for_key, "Key", &key) &&
		    s3_xml_next(&for_id, "UploadId", &id) &&
		    krn_str_eq(key, upload->object.key) &&
		    (e = upload_left(upload_abort(upload, id, err))))
			return e;
	}
	return KRN_OK;
}

static enum krn_err
upload_create(struct krn_s3_upload *upload, struct krn_error *err)
{
	struct s3_call call = {.method = "POST",
			       .query = KRN_STR("uploads="),
			       .content_type = upload->content_type};
	struct krn_http_answer answer;
	struct krn_str id;
	enum krn_err e;

	krn_arena_reset(upload->scratch);
	if ((e = upload_clear(upload, 0, err)) ||
	    (e = upload_request(upload, &call, &answer, err)))
		return e;
	if (!s3_xml_next(&answer.body, "UploadId", &id) || !id.len)
		return krn_refuse(err, KRN_ERR_UNAVAILABLE,
				  "S3 gave an upload without an id");
	upload->id = krn_str_dup(upload->arena, id);
	return upload->id.s ? KRN_OK : krn_arena_fail(upload->arena, err);
}

static enum krn_err
upload_part(struct krn_s3_upload *upload, struct krn_error *err)
{
	const int number = upload->parts_nr + 1;
	struct s3_call call = {
	    .method = "PUT",
	    .body = krn_str_from(upload->part, upload->part_len),
	    .content_type = "application/octet-stream",
	    .wanted = "ETag",
	};
	struct krn_http_answer answer;
	enum krn_err e;

	if (number > UPLOAD_PARTS_MAX)
		return krn_refuse(err, KRN_ERR_TOOBIG,
				  "the file is larger than %d parts of %zu "
				  "bytes",
				  UPLOAD_PARTS_MAX, UPLOAD_PART_BYTES);
	if (!upload->id.s && (e = upload_create(upload, err)))
		return e;
	krn_arena_reset(upload->scratch);
	call.query = upload_query(upload, upload->id, number);
	if (!call.query.s)
		return krn_arena_fail(upload->scratch, err);
	if ((e = upload_request(upload, &call, &answer, err)))
		return e;
	if (!answer.wanted.s)
		return krn_refuse(err, KRN_ERR_UNAVAILABLE,
				  "S3 took a part and gave it no ETag");
	krn_buf_printf(&upload->parts,
		       "<Part><PartNumber>%d</PartNumber><ETag>%.*s</ETag>"
		       "</Part>",
		       number, KRN_STR_ARG(answer.wanted));
	upload->parts_nr = number;
	upload->part_len = 0;
	return KRN_OK;
}

enum krn_err
krn_s3_upload_write(struct krn_s3_upload *upload, const char *bytes, size_t len,
		    struct krn_error *err)
{
	enum krn_err e;

	while (len) {
		const size_t room = UPLOAD_PART_BYTES - upload->part_len;
		const size_t taken = len < room ? len : room;

		memcpy(upload->part + upload->part_len, bytes, taken);
		upload->part_len += taken;
		bytes += taken;
		len -= taken;
		if (upload->part_len == UPLOAD_PART_BYTES &&
		    (e = upload_part(upload, err)))
			return e;
	}
	return KRN_OK;
}

static enum krn_err
upload_complete(struct krn_s3_upload *upload, struct krn_error *err)
{
	struct s3_call call = {.method = "POST"};
	struct krn_http_answer answer;
	struct krn_buf body;
	struct krn_str tag;
	enum krn_err e;

	krn_arena_reset(upload->scratch);
	krn_buf_init(&body, upload->scratch);
	krn_buf_add_c(&body,
		      "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws."
		      "com/doc/2006-03-01/\">");
	krn_buf_add(&body, upload->parts.data, upload->parts.len);
	krn_buf_add_c(&body, "</CompleteMultipartUpload>");
	body.failed |= upload->parts.failed;
	call.query = upload_query(upload, upload->id, 0);
	if (!call.query.s)
		return krn_arena_fail(upload->scratch, err);
	if ((e = krn_buf_end(&body, &call.body, err)) ||
	    (e = upload_request(upload, &call, &answer, err)))
		return e;
	/* S3 begins its 200 before it is done: the end says that it is */
	if (!s3_xml_next(&answer.body, "ETag", &tag))
		return krn_refuse(err, KRN_ERR_UNAVAILABLE,
				  "S3 did not say that the upload is complete");
	return KRN_OK;
}

static enum krn_err
upload_whole(struct krn_s3_upload *upload, struct krn_error *err)
{
	struct s3_call call = {
	    .method = "PUT",
	    .body = krn_str_from(upload->part, upload->part_len),
	    .content_type = upload->content_type,
	};
	struct krn_http_answer answer;

	krn_arena_reset(upload->scratch);
	return upload_request(upload, &call, &answer, err);
}

enum krn_err
krn_s3_upload_end(struct krn_s3_upload *upload, struct krn_error *err)
{
	return upload->id.s && upload->part_len ? upload_part(upload, err)
						: KRN_OK;
}

enum krn_err
krn_s3_upload_publish(struct krn_s3_upload *upload, struct krn_error *err)
{
	const enum krn_err e = upload->id.s ? upload_complete(upload, err)
					    : upload_whole(upload, err);

	upload->published = !e;
	return e;
}

enum krn_err
krn_s3_remove(const struct krn_options *options,
	      const struct krn_s3_object *object, bool (*tick)(void *data),
	      void *data, struct krn_error *err)
{
	struct krn_s3_upload upload = {
	    .options = options,
	    .object = *object,
	    .scratch = krn_arena_new(0),
	    .tick = tick,
	    .tick_data = data,
	};
	struct s3_call call = {
	    .method = "DELETE", .tries = 1, .may_lack = true};
	struct krn_http_answer answer;
	enum krn_err e;

	if (!upload.scratch)
		return krn_fail(err, KRN_ERR_UNAVAILABLE, "out of memory");
	if (!(e = upload_clear(&upload, 1, err)))
		e = upload_request(&upload, &call, &answer, err);
	krn_arena_free(upload.scratch);
	return e;
}
