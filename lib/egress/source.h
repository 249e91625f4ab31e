#ifndef KRN_SOURCE_H
#define KRN_SOURCE_H

/*
 * Result files read back: from a folder of this host or from S3, by the
 * address that they were written to (target.h), unpacked on the way.
 */

#include "base/codec.h"
#include "base/crypto.h"
#include "base/option.h"

/*
 * Read a file, in parts; what is compressed by its name is unpacked. Bytes and
 * SHA-256 are those of the file as it lies. `arena` is scratch.
 *
 * Errors: KRN_ERR_NOTFOUND     there is none
 *         KRN_ERR_INVALID      its compression is broken, or S3 refuses
 *         KRN_ERR_INTERNAL     it cannot be read
 *         KRN_ERR_UNAVAILABLE  S3 is away
 *         those of `fn`
 */
KRN_MUSTCHECK enum krn_err
krn_source_read(struct krn_arena *arena, const struct krn_options *options,
		struct krn_str url, krn_codec_fn fn, void *data,
		int64_t *ret_bytes, char ret_sha256[KRN_SHA256_HEX_BYTES],
		struct krn_error *err);

/*
 * The files below a folder whose paths below it are behind `after` ("": all),
 * in byte order; none when there is no such folder. Files that are under way
 * are left out.
 *
 * Ownership: *ret lives in `arena`.
 * Errors:    as krn_source_read, but KRN_ERR_NOTFOUND
 */
KRN_MUSTCHECK enum krn_err
krn_source_list(struct krn_arena *arena, const struct krn_options *options,
		struct krn_str url, struct krn_str after, struct krn_str **ret,
		size_t *ret_nr, struct krn_error *err);

#endif
