#ifndef KRN_TARGET_H
#define KRN_TARGET_H

/*
 * Where result files go: a folder of this host or an object of S3, by one
 * address. Either way the file is there whole or not at all, and its bytes
 * are hashed on the way.
 */

#include "base/codec.h"
#include "base/crypto.h"
#include "base/option.h"

struct krn_target;

/*
 * Begin to write `url`: file:///absolute/path or s3://bucket/key. A name that
 * ends in .zst or .gz is compressed so; bytes and SHA-256 are of what lies.
 *
 * Ownership: *ret lives in `arena`; what was not published is removed with it.
 * Errors:    KRN_ERR_INVALID   no such place
 *            KRN_ERR_INTERNAL  the folder or file could not be made
 *            KRN_ERR_UNAVAILABLE  S3 is away
 */
KRN_MUSTCHECK enum krn_err krn_target_begin(struct krn_arena *arena,
					    const struct krn_options *options,
					    struct krn_str url,
					    struct krn_target **ret,
					    struct krn_error *err);

/* Is it written to over a network, which may take long? */
bool krn_target_is_away(const struct krn_target *target);

/*
 * Call `tick` before each request to S3 and about every second while S3 is
 * waited for. When it gives false, what is under way is broken off.
 */
void krn_target_set_tick(struct krn_target *target, bool (*tick)(void *data),
			 void *data);

/*
 * Errors: KRN_ERR_INTERNAL     the disk is full or broken
 *         KRN_ERR_UNAVAILABLE  S3 is away
 *         KRN_ERR_INVALID      S3 refuses
 *         KRN_ERR_CONFLICT     the tick gave false
 */
KRN_MUSTCHECK enum krn_err krn_target_write(struct krn_target *target,
					    const char *bytes, size_t len,
					    struct krn_error *err);

/* All is written: what it is. Errors: as krn_target_write */
KRN_MUSTCHECK enum krn_err krn_target_end(struct krn_target *target,
					  int64_t *ret_bytes,
					  char ret_sha256[KRN_SHA256_HEX_BYTES],
					  struct krn_error *err);

/*
 * Make it durable, not visible yet; after krn_target_end. Who ends several
 * before he syncs them waits for the disk once.
 * Errors: as krn_target_write
 */
KRN_MUSTCHECK enum krn_err krn_target_sync(struct krn_target *target,
					   struct krn_error *err);

/* Make it visible; after krn_target_sync. Errors: as krn_target_write. */
KRN_MUSTCHECK enum krn_err krn_target_publish(struct krn_target *target,
					      struct krn_error *err);

#endif
