#ifndef KRN_FILE_H
#define KRN_FILE_H

/*
 * A file that is published whole or not at all: written under a temporary
 * name beside its place, synced, renamed, and its folder synced. Its bytes
 * are hashed on the way.
 */

#include "base/crypto.h"

struct krn_file;

/*
 * Begin to write `path`; its folders are made. The temporary name is
 * ".<name>.tmp"; what an earlier attempt left there is removed, and whoever
 * was still writing it can no longer publish.
 *
 * Ownership: *ret lives in `arena`; an unpublished file is removed with it.
 * Errors:    KRN_ERR_INTERNAL  the folder or file could not be made
 */
KRN_MUSTCHECK enum krn_err krn_file_begin(struct krn_arena *arena,
					  struct krn_str path,
					  struct krn_file **ret,
					  struct krn_error *err);

/* Errors: KRN_ERR_INTERNAL  the disk is full or broken */
KRN_MUSTCHECK enum krn_err krn_file_write(struct krn_file *file,
					  const char *bytes, size_t len,
					  struct krn_error *err);

/* All is written, once: what it is. Only for those who want to know. */
void krn_file_end(struct krn_file *file, int64_t *ret_bytes,
		  char ret_sha256[KRN_SHA256_HEX_BYTES]);

/*
 * Make it durable, under its temporary name still; publishing does it too.
 * Who ends several files before he syncs them waits for the disk once.
 * Errors: KRN_ERR_INTERNAL
 */
KRN_MUSTCHECK enum krn_err krn_file_sync(struct krn_file *file,
					 struct krn_error *err);

/*
 * Make it durable and visible under its name.
 * Errors: KRN_ERR_INTERNAL  or another attempt has begun, or the temporary
 *                           file was removed
 */
KRN_MUSTCHECK enum krn_err krn_file_publish(struct krn_file *file,
					    struct krn_error *err);

/*
 * Remove what is published under `path` and what is not yet: an attempt that
 * is under way cannot publish any more. It is fine when there is neither.
 * Errors: KRN_ERR_INTERNAL
 */
KRN_MUSTCHECK enum krn_err krn_file_remove(struct krn_arena *arena,
					   struct krn_str path,
					   struct krn_error *err);

#endif
