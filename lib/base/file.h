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
 * ".<name>.tmp"; what an earlier attempt left there is overwritten.
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

/*
 * Make it durable and visible under its name.
 * Errors: KRN_ERR_INTERNAL
 */
KRN_MUSTCHECK enum krn_err
krn_file_publish(struct krn_file *file, int64_t *ret_bytes,
		 char ret_sha256[KRN_SHA256_HEX_BYTES], struct krn_error *err);

#endif
