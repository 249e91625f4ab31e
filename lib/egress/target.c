/*
 * Files and objects behind one address.
 */

#include "base/base.h"

#include "egress/target.h"

#include "base/file.h"
#include "egress/s3.h"

struct krn_target {
	struct krn_file *file; /* or NULL: */
	struct krn_s3_upload *upload;
	struct krn_sha256 *hash; /* of the upload */
	int64_t bytes;
	struct krn_codec *codec;
};

/* What a browser makes of a download. */
static const char *
target_content_type(struct krn_str url)
{
	static const struct {
		const char *ending;
		const char *type;
	} types[] = {
	    {".csv", "text/csv; charset=utf-8"},
	    {".ndjson", "application/x-ndjson"},
	    {".json", "application/x-ndjson"},
	};

	for (size_t i = 0; i < KRN_NR(types); i++)
		if (krn_str_has_suffix(url, krn_str_c(types[i].ending)))
			return types[i].type;
	return "application/octet-stream";
}

static enum krn_err
target_upload(struct krn_arena *arena, const struct krn_options *options,
	      struct krn_str url, struct krn_target *target,
	      struct krn_error *err)
{
	struct krn_s3_object object;
	enum krn_err e;

	if ((e = krn_s3_path_parse(url, &object, err)))
		return e;
	target->hash = krn_sha256_new(arena);
	if (!target->hash)
		return krn_arena_fail(arena, err);
	return krn_s3_upload_begin(arena, options, &object,
				   target_content_type(url), &target->upload,
				   err);
}

/* What lies, compressed or not. */
static enum krn_err
target_take(void *data, const char *bytes, size_t len, struct krn_error *err)
{
	struct krn_target *target = data;

	if (target->file)
		return krn_file_write(target->file, bytes, len, err);
	krn_sha256_add(target->hash, bytes, len);
	target->bytes += (int64_t)len;
	return krn_s3_upload_write(target->upload, bytes, len, err);
}

enum krn_err
krn_target_begin(struct krn_arena *arena, const struct krn_options *options,
		 struct krn_str url, struct krn_target **ret,
		 struct krn_error *err)
{
	const struct krn_str scheme = KRN_STR("file://");
	struct krn_target *target = krn_arena_make(arena, struct krn_target);
	enum krn_err e;

	if (!target)
		return krn_arena_fail(arena, err);
	if ((e = krn_codec_new(arena, krn_codec_of(url), false, target_take,
			       target, &target->codec, err)))
		return e;
	*ret = target;
	if (krn_str_has_prefix(url, scheme))
		return krn_file_begin(
		    arena,
		    krn_str_from(url.s + scheme.len, url.len - scheme.len),
		    &target->file, err);
	return target_upload(arena, options, url, target, err);
}

bool
krn_target_is_away(const struct krn_target *target)
{
	return target->upload != NULL;
}

void
krn_target_set_tick(struct krn_target *target, bool (*tick)(void *data),
		    void *data)
{
	if (target->upload)
		krn_s3_upload_set_tick(target->upload, tick, data);
}

enum krn_err
krn_target_write(struct krn_target *target, const char *bytes, size_t len,
		 struct krn_error *err)
{
	return krn_codec_put(target->codec, bytes, len, err);
}

enum krn_err
krn_target_end(struct krn_target *target, int64_t *ret_bytes,
	       char ret_sha256[KRN_SHA256_HEX_BYTES], struct krn_error *err)
{
	unsigned char digest[KRN_SHA256_BYTES];
	enum krn_err e;

	if ((e = krn_codec_end(target->codec, err)))
		return e;
	if (target->file) {
		krn_file_end(target->file, ret_bytes, ret_sha256);
		return KRN_OK;
	}
	krn_sha256_end(target->hash, digest);
	krn_format_hex(digest, sizeof(digest), ret_sha256);
	*ret_bytes = target->bytes;
	return KRN_OK;
}

enum krn_err
krn_target_sync(struct krn_target *target, struct krn_error *err)
{
	return target->file ? krn_file_sync(target->file, err)
			    : krn_s3_upload_end(target->upload, err);
}

enum krn_err
krn_target_publish(struct krn_target *target, struct krn_error *err)
{
	return target->file ? krn_file_publish(target->file, err)
			    : krn_s3_upload_publish(target->upload, err);
}
