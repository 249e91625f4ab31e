#ifndef KRN_S3_H
#define KRN_S3_H

/*
 * Objects in the operator's S3: uploaded whole or not at all, read, listed,
 * and links that let others read one for a while.
 *
 * Requests are signed by libcurl; links by ourselves, since libcurl makes
 * none, and without any network: the API pool has none. An exchange that got
 * no answer, or one that says "later", is tried three times; then the error
 * is KRN_ERR_UNAVAILABLE. What no repetition helps is KRN_ERR_INVALID, with
 * a reason for the operator.
 *
 * Source: Amazon S3 API reference; AWS signature version 4.
 */

#include "base/codec.h"
#include "base/option.h"

struct krn_s3_object {
	struct krn_str bucket, key;
};

/* Did the operator give a key for S3? */
bool krn_s3_is_configured(const struct krn_options *options);

/*
 * Take apart "bucket/key" or "s3://bucket/key". The key may be empty (the
 * whole bucket, a prefix), may end in "/" then, and is made of parts without
 * "..", of characters that every S3 keeps as they are.
 *
 * Ownership: the texts are those of `path`.
 * Errors:    KRN_ERR_INVALID  the message says what is wrong
 */
KRN_MUSTCHECK enum krn_err krn_s3_path_parse(struct krn_str path,
					     struct krn_s3_object *ret,
					     struct krn_error *err);

/*
 * May campaigns of this tenant write below `path`? S3_CAMPAIGN_PATHS says.
 * Errors: KRN_ERR_INVALID  no; or the path is none
 */
KRN_MUSTCHECK enum krn_err
krn_s3_campaign_path_check(const struct krn_options *options,
			   struct krn_str tenant_id, struct krn_str path,
			   struct krn_error *err);

/* Links */

/*
 * An address under which anybody can read the object from `now_us` on, for
 * `seconds`. `disposition` is the Content-Disposition of the answer, or "".
 *
 * Ownership: *ret lives in `arena`.
 * Source:    AWS signature version 4, authenticating by query parameters
 */
KRN_MUSTCHECK enum krn_err
krn_s3_link(struct krn_arena *arena, const struct krn_options *options,
	    const struct krn_s3_object *object, int64_t now_us, int64_t seconds,
	    struct krn_str disposition, struct krn_str *ret,
	    struct krn_error *err);

/* Read */

/*
 * Read an object, in parts.
 * Errors: KRN_ERR_NOTFOUND  there is none; those of `fn`
 */
KRN_MUSTCHECK enum krn_err krn_s3_read(const struct krn_options *options,
				       const struct krn_s3_object *object,
				       krn_codec_fn fn, void *data,
				       struct krn_error *err);

/* Takes the path of an object below the folder that is listed. */
typedef enum krn_err (*krn_s3_list_fn)(void *data, struct krn_str path,
				       struct krn_error *err);

/*
 * The objects whose key begins with that of `folder` and "/"; those whose path
 * below it is not behind `after` may be left out.
 */
KRN_MUSTCHECK enum krn_err krn_s3_list(const struct krn_options *options,
				       const struct krn_s3_object *folder,
				       struct krn_str after, krn_s3_list_fn fn,
				       void *data, struct krn_error *err);

/* Upload */

struct krn_s3_upload;

/*
 * Begin an object. One that is small is sent at once when it is published; a
 * larger one goes in parts while it is written, of which one is in memory,
 * and what an earlier attempt at the same object left is aborted first.
 *
 * Ownership: *ret lives in `arena`; with it an upload that was not published
 *            is aborted. `object` and `content_type` are copied.
 */
KRN_MUSTCHECK enum krn_err
krn_s3_upload_begin(struct krn_arena *arena, const struct krn_options *options,
		    const struct krn_s3_object *object,
		    const char *content_type, struct krn_s3_upload **ret,
		    struct krn_error *err);

/*
 * Call `tick` before each request and about every second while S3 is waited
 * for. When it gives false, the request is broken off: KRN_ERR_CONFLICT.
 */
void krn_s3_upload_set_tick(struct krn_s3_upload *upload,
			    bool (*tick)(void *data), void *data);

/*
 * Errors: KRN_ERR_UNAVAILABLE, KRN_ERR_INVALID  see above
 *         KRN_ERR_TOOBIG  more than the parts of an upload can hold
 */
KRN_MUSTCHECK enum krn_err krn_s3_upload_write(struct krn_s3_upload *upload,
					       const char *bytes, size_t len,
					       struct krn_error *err);

/* All is written: send what is left. Errors: as krn_s3_upload_write. */
KRN_MUSTCHECK enum krn_err krn_s3_upload_end(struct krn_s3_upload *upload,
					     struct krn_error *err);

/* Make the object visible; after the end. Errors: as krn_s3_upload_write. */
KRN_MUSTCHECK enum krn_err krn_s3_upload_publish(struct krn_s3_upload *upload,
						 struct krn_error *err);

/* Remove */

/*
 * Remove an object, and abort what uploads left of it. That there is none is
 * no error. Each request is tried once; `tick` as of krn_s3_upload_set_tick.
 * Errors: KRN_ERR_UNAVAILABLE, KRN_ERR_INVALID, KRN_ERR_CONFLICT  see above
 */
KRN_MUSTCHECK enum krn_err krn_s3_remove(const struct krn_options *options,
					 const struct krn_s3_object *object,
					 bool (*tick)(void *data), void *data,
					 struct krn_error *err);

#endif
