#ifndef KRN_CODEC_H
#define KRN_CODEC_H

/*
 * Compression as a stream, by libzstd and zlib: bytes go in, bytes come out
 * through a function. codec.c is the only file of ours that includes their
 * headers.
 */

#include "base/text.h"

enum krn_codec_kind { KRN_CODEC_NONE, KRN_CODEC_ZSTD, KRN_CODEC_GZIP };

/* "", "zstd", "gzip"; false: none of them. */
bool krn_codec_parse(struct krn_str name, enum krn_codec_kind *ret);

/* "", ".zst", ".gz": what a file's name ends in. */
const char *krn_codec_ending(enum krn_codec_kind kind);
enum krn_codec_kind krn_codec_of(struct krn_str path);

struct krn_codec;

/* Takes what comes out. */
typedef enum krn_err (*krn_codec_fn)(void *data, const char *bytes, size_t len,
				     struct krn_error *err);

/*
 * Compress, or with `unpack` the other way. KRN_CODEC_NONE passes bytes on.
 *
 * Ownership: *ret lives in `arena`.
 * Errors:    KRN_ERR_UNAVAILABLE  out of memory
 */
KRN_MUSTCHECK enum krn_err krn_codec_new(struct krn_arena *arena,
					 enum krn_codec_kind kind, bool unpack,
					 krn_codec_fn fn, void *data,
					 struct krn_codec **ret,
					 struct krn_error *err);

/* Errors: fn's; KRN_ERR_INVALID  what is unpacked is broken */
KRN_MUSTCHECK enum krn_err krn_codec_put(struct krn_codec *codec,
					 const char *bytes, size_t len,
					 struct krn_error *err);

/*
 * No more bytes: the rest comes out.
 * Errors: fn's; KRN_ERR_INVALID  what was unpacked is cut off
 */
KRN_MUSTCHECK enum krn_err krn_codec_end(struct krn_codec *codec,
					 struct krn_error *err);

#endif
